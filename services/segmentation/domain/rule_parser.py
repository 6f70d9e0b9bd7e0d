"""Reading the rule of a segment from JSON: what it may look like is in rules.py."""

from collections.abc import Mapping, Set
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from services.segmentation.domain import vocabulary as words
from services.segmentation.domain.conditions import (
    A_MOMENT,
    A_NUMBER_OF_DAYS,
    Condition,
    is_days,
    is_moment,
    is_name,
    value_fault,
)
from services.segmentation.domain.rules import All, AnyOf, Event, Field, InList, InSegment, Not, Rule, RuleError, Where

MAX_DEPTH: Final = 10
MAX_NODES: Final = 200
MAX_WHERE: Final = 20

_FIELDS: Final = {"feature": words.FEATURES, "score": words.SCORES, "trait": words.TRAITS}
_KINDS: Final = ("all", "any", "not", "feature", "score", "trait", "event", "segment", "list")
_EVENT_KEYS: Final = frozenset({"event", "count", "sum", "property", "within_days", "since", "until", "where"})


def parse(rule: object, path: str = "rule") -> Rule:
    """The rule as nodes. Raises RuleError with every fault found."""
    reader = _Reader()
    try:
        parsed = reader.rule(rule, path, 1)
    except _FaultError as error:
        raise RuleError(reader.errors) from error
    if reader.errors:
        raise RuleError(reader.errors)
    return parsed


class _FaultError(Exception):
    """A part of the rule could not be read; what is wrong is noted already."""


@dataclass
class _Reader:
    errors: list[dict[str, str]] = field(default_factory=list)
    nodes: int = 0

    def fault(self, path: str, message: str) -> _FaultError:
        if len(self.errors) < 50:
            self.errors.append({"path": path, "message": message})
        return _FaultError()

    def rule(self, rule: object, path: str, depth: int) -> Rule:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            if self.nodes == MAX_NODES + 1:
                self.fault(path, f"a rule has at most {MAX_NODES} parts")
            raise _FaultError
        if depth > MAX_DEPTH:
            raise self.fault(path, f"a rule is at most {MAX_DEPTH} levels deep")
        if not isinstance(rule, dict):
            raise self.fault(path, 'a rule is an object such as {"feature": "orders", "op": ">=", "value": 2}')
        kinds = [kind for kind in _KINDS if kind in rule]
        if len(kinds) != 1:
            raise self.fault(path, f"a rule has exactly one of {', '.join(_KINDS)}")
        if kinds[0] in ("all", "any"):
            return self.group(rule, kinds[0], path, depth)
        if kinds[0] == "not":
            self.only(rule, {"not"}, path)
            return Not(self.rule(rule["not"], f"{path}.not", depth + 1))
        if kinds[0] == "event":
            return self.event(rule, path)
        if kinds[0] in ("segment", "list"):
            return self.named(rule, kinds[0], path)
        return self.field_test(rule, kinds[0], path)

    def group(self, rule: Mapping[str, Any], kind: str, path: str, depth: int) -> Rule:
        self.only(rule, {kind}, path)
        members = rule[kind]
        if not isinstance(members, list) or not members:
            raise self.fault(f"{path}.{kind}", "must be a list of at least one rule")
        inner = []
        for place, member in enumerate(members):
            with suppress(_FaultError):
                inner.append(self.rule(member, f"{path}.{kind}[{place}]", depth + 1))
        return All(tuple(inner)) if kind == "all" else AnyOf(tuple(inner))

    def field_test(self, rule: Mapping[str, Any], source: str, path: str) -> Rule:
        name = rule[source]
        if not is_name(name):
            raise self.fault(f"{path}.{source}", "must be a name")
        known = _FIELDS[source].get(name)
        if known is None and source != "trait":
            raise self.fault(f"{path}.{source}", _unknown(source, name))
        money = known is not None and known.kind == words.MONEY
        self.only(rule, {source, "op", "value", "currency"} if money else {source, "op", "value"}, path)
        kind = known.kind if known else words.CONTACT if words.is_sealed(name, of_person=True) else None
        currency = rule.get("currency")
        if currency is not None and not (isinstance(currency, str) and len(currency) == 3 and currency.isupper()):
            self.fault(f"{path}.currency", "must be an ISO 4217 code such as CNY")
        return Field(source, name, self.condition(rule, kind, path, known.values if known else ()), currency)

    def named(self, rule: Mapping[str, Any], kind: str, path: str) -> Rule:
        self.only(rule, {kind}, path)
        try:
            named = UUID(rule[kind])
        except (ValueError, TypeError, AttributeError) as error:
            raise self.fault(f"{path}.{kind}", f"must be the id of a {kind}") from error
        return InSegment(named) if kind == "segment" else InList(named)

    def event(self, rule: Mapping[str, Any], path: str) -> Rule:
        self.only(rule, _EVENT_KEYS, path)
        if not is_name(rule["event"]):
            raise self.fault(f"{path}.event", "must be the name of an event")
        if rule.get("within_days") is not None and not is_days(rule["within_days"]):
            self.fault(f"{path}.within_days", A_NUMBER_OF_DAYS)
        for bound in ("since", "until"):
            if rule.get(bound) is not None and not is_moment(rule[bound]):
                self.fault(f"{path}.{bound}", A_MOMENT)
        where = self.where(rule.get("where"), f"{path}.where")
        window = (rule.get("within_days"), rule.get("since"), rule.get("until"))
        return Event(rule["event"], self.measure(rule, path), self.sum_of(rule, path), *window, where)

    def measure(self, rule: Mapping[str, Any], path: str) -> Condition:
        name = "sum" if "sum" in rule else "count"
        if name not in rule:
            return Condition(">=", 1)
        if not isinstance(rule[name], dict):
            raise self.fault(f"{path}.{name}", "must be an object with op and value")
        self.only(rule[name], {"op", "value"}, f"{path}.{name}")
        condition = self.condition(rule[name], words.NUMBER, f"{path}.{name}")
        if condition.op in words.PRESENCE:
            raise self.fault(f"{path}.{name}.op", "must compare with a number")
        return condition

    def sum_of(self, rule: Mapping[str, Any], path: str) -> str | None:
        if "sum" in rule and "count" in rule:
            self.fault(path, "has count or sum, not both")
        summed = rule.get("property")
        if "sum" in rule and not is_name(summed):
            self.fault(f"{path}.property", "must name the property that is summed")
        if "sum" not in rule and summed is not None:
            self.fault(f"{path}.property", "is only used with sum; conditions on properties go into where")
        return summed if "sum" in rule else None

    def where(self, given: object, path: str) -> tuple[Where, ...]:
        if given is None:
            return ()
        if not isinstance(given, list) or len(given) > MAX_WHERE:
            self.fault(path, f"must be a list of at most {MAX_WHERE} conditions")
            return ()
        found = []
        for place, one in enumerate(given):
            with suppress(_FaultError):
                found.append(self.property_test(one, f"{path}[{place}]"))
        return tuple(found)

    def property_test(self, given: object, path: str) -> Where:
        if not isinstance(given, dict) or not is_name(given.get("property")):
            raise self.fault(path, "must be an object with property, op and value")
        self.only(given, {"property", "op", "value"}, path)
        name = given["property"]
        if name.split(".")[0] == "products" and name not in words.PRODUCT_FIELDS:
            raise self.fault(f"{path}.property", f"of products only {', '.join(words.PRODUCT_FIELDS)} can be tested")
        sealed = words.is_sealed(name, of_person=False)
        kind = words.CONTACT if sealed else words.PRODUCT_FIELDS.get(name)
        return Where(name, self.condition(given, kind, path))

    def condition(
        self, given: Mapping[str, Any], kind: str | None, path: str, values: tuple[str, ...] = ()
    ) -> Condition:
        """op and value of `given` for a field of this kind (None: as the value has it)."""
        op = given.get("op")
        op = words.ALIASES.get(op, op) if isinstance(op, str) else None
        allowed = words.FREE_OPERATORS if kind is None else words.OPERATORS[kind]
        if op is None or op not in allowed:
            why = "is stored sealed: a rule can only ask " if kind == words.CONTACT else "must be one of "
            raise self.fault(f"{path}.op", why + ", ".join(allowed))
        value = given.get("value")
        fault = value_fault(op, value, kind, values)
        if fault is not None:
            raise self.fault(f"{path}.value", fault)
        return Condition(op, tuple(value) if isinstance(value, list) else value)

    def only(self, given: Mapping[str, Any], known: Set[str], path: str) -> None:
        for key in given:
            if key not in known:
                self.fault(f"{path}.{str(key)[:50]}", f"is not known here; known are {', '.join(sorted(known))}")


def _unknown(source: str, name: str) -> str:
    for other in ("feature", "score"):
        if other != source and name in _FIELDS[other]:
            return f'{name} is a {other}: write {{"{other}": "{name}", …}}'
    return f"is not a {source}; known are {', '.join(_FIELDS[source])}"
