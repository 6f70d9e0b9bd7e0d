"""From an expression to the items it lets through: columns in, a mask out."""

from collections.abc import Callable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import reduce
from operator import and_, or_
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.columns import NO_PRICE, NO_STOCK, Codes, Columns, Held, Mask, Shown, token
from services.recommend.domain.expressions import (
    ATTRIBUTE,
    All,
    Circumstances,
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
from services.recommend.domain.items import minor_units

AttributeColumn = Callable[[str], Codes]
_LARGEST: Final = Decimal(2**62)
_NEGATIVE: Final = {Op.NE: Op.EQ, Op.NOT_IN: Op.IN}


def mask_of(
    expression: Expression, columns: Columns, items: Sequence[Shown], column: AttributeColumn, at: Circumstances
) -> Mask:
    """Which items `expression` lets through. `column` finds the column of an attribute by its name."""
    if isinstance(expression, Test):
        return _Asked(columns, items, column, at).mask(expression)
    if isinstance(expression, Not):
        return ~mask_of(expression.part, columns, items, column, at)
    parts = [mask_of(part, columns, items, column, at) for part in expression.parts]
    if isinstance(expression, All):
        return reduce(and_, parts, np.ones(len(items), dtype=bool))
    return reduce(or_, parts, np.zeros(len(items), dtype=bool))


class _Asked:
    """One test of all items."""

    def __init__(self, columns: Columns, items: Sequence[Shown], column: AttributeColumn, at: Circumstances) -> None:
        self.columns, self.items, self.column, self.at = columns, items, column, at

    def mask(self, test: Test) -> Mask:
        """Where the test is true; never where the item has nothing to test."""
        present = self.present(test)
        if test.op is Op.HAS:
            return present
        values = self.known(test.values)
        if test.op in _NEGATIVE:
            if len(values) < len(test.values):
                return np.zeros(len(self.items), dtype=bool)
            return present & ~self.positive(test, _NEGATIVE[test.op], values)
        return present & self.positive(test, test.op, values)

    def known(self, values: Sequence[Value]) -> list[Any]:
        """The values as of now and for this visitor; the unknown ones are left out."""
        found: list[Any] = []
        for value in values:
            if isinstance(value, Moment):
                found.append(Moment(value.seconds + self.at.now * value.from_now))
            elif not isinstance(value, VisitorCountry):
                found.append(value)
            elif self.at.country is not None:
                found.append(self.at.country)
        return found

    def present(self, test: Test) -> Mask:
        """Which items have the field at all; a price counts in the currency that is asked for only."""
        columns, name = self.columns, test.field
        if name in ("price", "price_minor"):
            currency = test.currency or self.at.currency
            priced: Mask = columns.prices != NO_PRICE
            return priced & columns.currencies.matching(lambda one: one == currency)
        if name == "stock":
            counted: Mask = columns.stocks != NO_STOCK
            return counted
        if name in ("category", "brand", "currency"):
            return self.coded(name).matching(bool)
        if name.startswith(ATTRIBUTE):
            return self.column(name.removeprefix(ATTRIBUTE)).matching(lambda held: bool(held[1]))
        return np.ones(len(self.items), dtype=bool)

    def coded(self, name: str) -> Codes:
        columns = self.columns
        return {
            "category": columns.categories,
            "brand": columns.brands,
            "currency": columns.currencies,
            "kind": columns.kinds,
        }[name]

    def positive(self, test: Test, op: Op, values: list[Any]) -> Mask:
        """The test without negation, whatever it says of items without the field."""
        columns, name = self.columns, test.field
        mask: Mask
        if name in ("price", "price_minor"):
            currency = test.currency or self.at.currency
            scaled = [minor_units(value, currency) if name == "price" else Decimal(value) for value in values]
            mask = _numbers(columns.prices, op, scaled)
        elif name == "stock":
            mask = _numbers(columns.stocks, op, values)
        elif name == "published_at":
            mask = _ordered(columns.published, op, values[0].seconds)
        elif name == "available":
            mask = columns.available == (op is Op.HOLDS or values == [Truth.YES])
        elif name == "category":
            mask = columns.categories.matching(lambda path: any(is_in(path, one) for one in values))
        elif name in ("brand", "currency", "kind"):
            mask = self.coded(name).matching(_text(op, values))
        elif name in ("item_id", "name"):
            holds = _text(op, values)
            mask = np.fromiter((holds(getattr(item, name)) for item in self.items), dtype=bool, count=len(self.items))
        else:
            mask = self.column(name.removeprefix(ATTRIBUTE)).matching(_attribute(op, values))
        return mask


def is_in(path: tuple[str, ...], category: tuple[str, ...]) -> bool:
    """Whether a category's path is in `category`: a single name anywhere on it, a path at its beginning."""
    if len(category) == 1:
        return category[0] in path
    return path[: len(category)] == category


def _numbers(column: NDArray[np.int64], op: Op, values: list[Decimal]) -> Mask:
    """Whole numbers against decimal ones, exactly."""
    if op in (Op.EQ, Op.IN):
        whole = [int(value) for value in values if value == value.to_integral_value() and abs(value) < _LARGEST]
        found: Mask = np.isin(column, np.asarray(whole, dtype=np.int64))
        return found
    value = max(-_LARGEST, min(values[0], _LARGEST))
    rounding = ROUND_FLOOR if op in (Op.LE, Op.GT) else ROUND_CEILING
    return _ordered(column, op, int(value.to_integral_value(rounding)))


def _ordered(column: NDArray[Any], op: Op, value: float) -> Mask:
    mask: Mask
    if op is Op.LT:
        mask = column < value
    elif op is Op.LE:
        mask = column <= value
    elif op is Op.GT:
        mask = column > value
    else:
        mask = column >= value
    return mask


def _text(op: Op, values: list[Any]) -> Callable[[Any], bool]:
    if op is Op.CONTAINS:
        part = values[0].casefold() if values else None
        return lambda text: part is not None and text is not None and part in text.casefold()
    wanted = frozenset(values)
    return lambda text: text in wanted


def _attribute(op: Op, values: list[Any]) -> Callable[[Held], bool]:
    """Whether one of an attribute's values holds."""
    if op is Op.HOLDS:
        return lambda held: token(True) in held[1]
    if op in (Op.EQ, Op.IN):
        wanted = frozenset(token(_plain(value)) for value in values)
        return lambda held: not wanted.isdisjoint(held[1])
    if not values:
        return lambda _held: False
    if op is Op.CONTAINS:
        return _containing(values[0])
    return _in_order(op, values[0])


def _in_order(op: Op, value: Any) -> Callable[[Held], bool]:
    if isinstance(value, Moment):
        limit = value.seconds
        return lambda held: any(
            (seconds := seconds_of(one)) is not None and _compares(op, seconds, limit)
            for _, one in held[1]
            if isinstance(one, str)
        )
    number = _plain(value)
    return lambda held: any(
        _compares(op, one, number) for truth, one in held[1] if not truth and not isinstance(one, str)
    )


def _containing(value: Any) -> Callable[[Held], bool]:
    """A list contains one of its values, a text a part of it in any case."""
    wanted = token(_plain(value))
    part = value.casefold() if isinstance(value, str) else None

    def holds(held: Held) -> bool:
        listed, tokens = held
        if listed or part is None:
            return listed and wanted in tokens
        return any(part in text.casefold() for _, text in tokens if isinstance(text, str))

    return holds


def _compares(op: Op, one: Any, other: Any) -> bool:
    found: bool = {Op.LT: one < other, Op.LE: one <= other, Op.GT: one > other, Op.GE: one >= other}[op]
    return found


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Truth):
        return value.value
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else float(value)
