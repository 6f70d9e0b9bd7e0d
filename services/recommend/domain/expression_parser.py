"""Reading an expression as people write it: `price < 50 and category in ("Tea", "Ware") and not attributes.adult`."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from services.recommend.domain.expression_tokens import ExpressionError, Reader, Token, tokens
from services.recommend.domain.expressions import (
    ATTRIBUTE,
    DAY_S,
    All,
    AnyOf,
    Expression,
    Moment,
    Not,
    Op,
    Test,
    Truth,
    Value,
    VisitorCountry,
)
from services.recommend.domain.instants import seconds_of
from services.recommend.domain.items import category_path

LONGEST: Final = 2_000
DEEPEST: Final = 16
MOST_TESTS: Final = 50
MOST_VALUES: Final = 200
_LARGEST: Final = Decimal(10) ** 15

_UNITS: Final = {
    name: seconds
    for unit, seconds in (("minute", 60.0), ("hour", 3_600.0), ("day", DAY_S), ("week", 7 * DAY_S))
    for name in (unit, f"{unit}s")
}
_SIGNS: Final = {"==": "=", "<>": "!="}
_WORDS: Final = frozenset({"and", "or", "not", "in", "contains", "has", "true", "false"})

# What a field is compared with.
_TEXT, _NUMBER, _MONEY, _TIME, _TRUTH, _FREE = "text", "number", "money", "time", "truth", "free"
FIELDS: Final = {
    "item_id": _TEXT,
    "name": _TEXT,
    "kind": _TEXT,
    "brand": _TEXT,
    "category": _TEXT,
    "currency": _TEXT,
    "country": _TEXT,
    "tags": _TEXT,
    "price": _MONEY,
    "price_minor": _MONEY,
    "stock": _NUMBER,
    "published_at": _TIME,
    "available": _TRUTH,
}
# Names for what shops keep among the attributes.
_ALIASES: Final = {"tags": "attributes.tags", "country": "attributes.country"}
_ORDER: Final = (Op.LT, Op.LE, Op.GT, Op.GE)
_EQUAL: Final = (Op.EQ, Op.NE, Op.IN, Op.NOT_IN)
_ALLOWED: Final = {
    _TEXT: (*_EQUAL, Op.CONTAINS),
    _NUMBER: (*_EQUAL, *_ORDER),
    _MONEY: (*_EQUAL, *_ORDER),
    _TIME: _ORDER,
    _TRUTH: (Op.EQ, Op.NE),
    _FREE: (*_EQUAL, *_ORDER, Op.CONTAINS),
}


def parse(text: str, path: str = "where") -> Expression:
    """The expression as a tree. Raises ExpressionError naming `path` and the position of the first fault."""
    if len(text) > LONGEST:
        raise ExpressionError(f"an expression has at most {LONGEST:,} characters", LONGEST + 1, path)
    return _parsed(text, path)


@lru_cache(maxsize=512)
def _parsed(text: str, path: str) -> Expression:
    reader = _Reader(tokens(text, path), path)
    found = reader.alternatives(1)
    if reader.token.kind != "end":
        reader.fail(f"expected and, or, or the end, not {reader.token.text!r}")
    return found


@dataclass
class _Reader(Reader):
    tests: int = 0
    values: int = 0

    def alternatives(self, depth: int) -> Expression:
        return self.joined("or", self.together, AnyOf, depth)

    def together(self, depth: int) -> Expression:
        return self.joined("and", self.negated, All, depth)

    def joined(self, word: str, inner: Callable[[int], Expression], kind: Any, depth: int) -> Expression:
        parts = [inner(depth)]
        while self.word(word):
            parts.append(inner(depth))
        joined: Expression = parts[0] if len(parts) == 1 else kind(tuple(parts))
        return joined

    def negated(self, depth: int) -> Expression:
        if depth > DEEPEST:
            self.fail(f"an expression is at most {DEEPEST} levels deep")
        if self.word("not"):
            return Not(self.negated(depth + 1))
        if self.word("("):
            inner = self.alternatives(depth + 1)
            self.need(")")
            return inner
        return self.test()

    def test(self) -> Expression:
        self.tests += 1
        if self.tests > MOST_TESTS:
            self.fail(f"an expression has at most {MOST_TESTS} tests")
        if self.word("has"):
            return Test(self.field()[0], Op.HAS)
        at = self.token
        field, kind = self.field()
        operator = self.operator()
        if operator is None:
            if kind not in (_TRUTH, _FREE):
                self.fail(f"{at.text} is neither true nor false: compare it with something")
            return Test(field, Op.HOLDS)
        if operator not in _ALLOWED[kind]:
            self.fail(f"{at.text} cannot be asked with {operator}", self.tokens[self.place - 1])
        values = self.several(field, kind) if operator in (Op.IN, Op.NOT_IN) else (self.value(field, kind, operator),)
        return Test(field, operator, values, self.currency() if kind == _MONEY else None)

    def field(self) -> tuple[str, str]:
        """The field the next tokens name, and what it is compared with."""
        at = self.token
        if at.kind != "name" or at.text.lower() in _WORDS:
            self.fail(f"expected a field, not {at.text!r}")
        self.place += 1
        if at.text == "attributes" and self.word("["):
            name = self.quoted("the name of an attribute")
            self.need("]")
            return ATTRIBUTE + name, _FREE
        if at.text.startswith(ATTRIBUTE):
            return at.text, _FREE
        if at.text not in FIELDS:
            known = ", ".join([*FIELDS, "attributes.…"])
            self.fail(f"there is no field {at.text!r}; there are {known}", at)
        return _ALIASES.get(at.text, at.text), FIELDS[at.text]

    def operator(self) -> Op | None:
        token = self.token
        sign = _SIGNS.get(token.text, token.text)
        if token.kind == "sign" and sign in frozenset(Op):
            self.place += 1
            return Op(sign)
        if self.word("contains"):
            return Op.CONTAINS
        if self.word("in"):
            return Op.IN
        following = self.tokens[self.place + 1] if token.kind != "end" else token
        if token.text.lower() == "not" and following.text.lower() == "in":
            self.place += 2
            return Op.NOT_IN
        return None

    def several(self, field: str, kind: str) -> tuple[Value, ...]:
        self.need("(")
        values = [self.value(field, kind, Op.IN)]
        while self.word(","):
            values.append(self.value(field, kind, Op.IN))
        self.need(")")
        return tuple(values)

    def value(self, field: str, kind: str, operator: Op) -> Value:
        at = self.token
        self.values += 1
        if self.values > MOST_VALUES:
            self.fail(f"an expression has at most {MOST_VALUES} values")
        found = self.literal(kind, operator)
        if field == "category" and isinstance(found, str):
            path = category_path(found)
            return path or self.fail("a category has a name", at)
        fits = {
            _TEXT: str | VisitorCountry,
            _NUMBER: Decimal,
            _MONEY: Decimal,
            _TIME: Moment,
            _TRUTH: Truth,
        }.get(kind, object)
        if not isinstance(found, fits):
            self.fail(f"{field} is compared with {_WANTED[kind]}", at)
        if kind == _FREE and operator in _ORDER and not isinstance(found, Decimal | Moment):
            self.fail("only numbers and times have an order", at)
        return found

    def literal(self, kind: str, operator: Op) -> Value:
        token = self.token
        if token.kind == "number":
            self.place += 1
            number = Decimal(token.text)
            return number if abs(number) <= _LARGEST else self.fail("this number is too large", token)
        if token.kind == "text":
            text = self.quoted("a value")
            timed = kind == _TIME or (kind == _FREE and operator in _ORDER)
            return self.instant(text, token) if timed else text
        return self.named()

    def named(self) -> Value:
        token = self.token
        if self.word("true", "false"):
            return Truth(token.text.lower() == "true")
        if self.word("now"):
            return self.from_now()
        if self.word("visitor.country"):
            return VisitorCountry()
        hint = ": texts stand in quotation marks" if token.kind == "name" else ""
        return self.fail(f"expected a value, not {token.text!r}{hint}")

    def instant(self, text: str, at: Token) -> Moment:
        seconds = seconds_of(text)
        if seconds is None:
            self.fail('a time looks like "2026-05-01" or "2026-05-01T09:00+08:00"', at)
        return Moment(seconds)

    def from_now(self) -> Moment:
        self.need("(")
        self.need(")")
        seconds = 0.0
        while (sign := self.token.text) in ("+", "-") or (self.token.kind == "number" and sign.startswith("-")):
            if self.token.kind == "sign":
                self.place += 1
            amount = self.token
            if amount.kind != "number":
                self.fail(f"expected a number of days, not {amount.text!r}")
            self.place += 1
            unit = self.token
            if unit.text.lower() not in _UNITS:
                self.fail("expected minutes, hours, days or weeks", unit)
            self.place += 1
            number = abs(float(amount.text)) * _UNITS[unit.text.lower()]
            seconds += -number if sign.startswith("-") else number
        return Moment(seconds, from_now=True)

    def currency(self) -> str | None:
        token = self.token
        if token.kind == "name" and re.fullmatch("[A-Z]{3}", token.text) and token.text.lower() not in _WORDS:
            self.place += 1
            return token.text
        return None


_WANTED: Final = {
    _TEXT: "a text",
    _NUMBER: "a number",
    _MONEY: "an amount",
    _TIME: 'a time: now() - 30 days, or "2026-05-01"',
    _TRUTH: "true or false",
}
