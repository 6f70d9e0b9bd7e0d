"""The rules of segments: a JSON tree, checked and turned into typed nodes.

    {"all": [rule, …]}   {"any": [rule, …]}   {"not": rule}
    {"feature": "net_spend_minor", "op": ">=", "value": 100000, "currency": "CNY"}
    {"score": "rfm_cell", "op": "in", "value": ["champions", "loyal"]}
    {"trait": "plan.name", "op": "=", "value": "gold"}
    {"event": "Product Viewed", "count": {"op": ">=", "value": 3}, "within_days": 30,
     "where": [{"property": "category", "op": "=", "value": "Tea"}]}
    {"event": "Order Completed", "sum": {"op": ">", "value": 500}, "property": "total", "since": "2025-01-01"}
    {"segment": "<id>"}
    {"list": "<id>"}

A test of a value nobody knows is false, whatever the operator; `missing` and `not` ask for the unknown. Days are the
shop's business days before the as-of instant: within_days 0 is today. Without `count` or `sum` an event is counted
at least once. A list names customers one by one, as of when it was made. Money without a `currency` is of the shop's.
Page and screen views are events $page and $screen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from services.segmentation.domain.conditions import Condition


class RuleError(ValueError):
    """A rule that is none; `errors` says where (path) and why (message) for each thing wrong."""

    code = "rule_invalid"

    def __init__(self, errors: Sequence[Mapping[str, str]]) -> None:
        self.errors = list(errors)
        first = self.errors[0]
        more = f" (and {len(self.errors) - 1} more)" if len(self.errors) > 1 else ""
        super().__init__(f"{first['path']}: {first['message']}{more}")


@dataclass(frozen=True)
class Field:
    """A test of a feature, score or trait; `source` says which. `currency` only with money."""

    source: str
    name: str
    condition: Condition
    currency: str | None = None


@dataclass(frozen=True)
class Where:
    """A test of a property of an event."""

    property: str
    condition: Condition


@dataclass(frozen=True)
class Event:
    """How often something happened, or what a property of it sums up to, in a window of time."""

    name: str
    condition: Condition
    sum_of: str | None = None
    within_days: int | None = None
    since: str | None = None
    until: str | None = None
    where: tuple[Where, ...] = ()


@dataclass(frozen=True)
class InSegment:
    """Belonging to another segment."""

    segment_id: UUID


@dataclass(frozen=True)
class InList:
    """Being one of the customers of a list."""

    list_id: UUID


@dataclass(frozen=True)
class All:
    """Every one of the rules holds."""

    rules: "tuple[Rule, ...]"


@dataclass(frozen=True)
class AnyOf:
    """At least one of the rules holds."""

    rules: "tuple[Rule, ...]"


@dataclass(frozen=True)
class Not:
    """The rule does not hold."""

    rule: "Rule"


Rule: TypeAlias = All | AnyOf | Not | Field | Event | InSegment | InList


def as_json(rule: Rule) -> dict[str, Any]:
    """The rule as parse() reads it, in one spelling."""
    if isinstance(rule, All | AnyOf):
        return {"all" if isinstance(rule, All) else "any": [as_json(one) for one in rule.rules]}
    if isinstance(rule, Not):
        return {"not": as_json(rule.rule)}
    if isinstance(rule, InSegment):
        return {"segment": str(rule.segment_id)}
    if isinstance(rule, InList):
        return {"list": str(rule.list_id)}
    if isinstance(rule, Event):
        return _event_json(rule)
    test = {rule.source: rule.name, **_condition_json(rule.condition)}
    return test if rule.currency is None else {**test, "currency": rule.currency}


def segments_in(rule: Rule) -> set[UUID]:
    """The segments a rule speaks of."""
    if isinstance(rule, All | AnyOf):
        return set().union(*(segments_in(one) for one in rule.rules))
    if isinstance(rule, Not):
        return segments_in(rule.rule)
    return {rule.segment_id} if isinstance(rule, InSegment) else set()


def lists_in(rule: Rule) -> set[UUID]:
    """The lists a rule speaks of."""
    if isinstance(rule, All | AnyOf):
        return set().union(*(lists_in(one) for one in rule.rules))
    if isinstance(rule, Not):
        return lists_in(rule.rule)
    return {rule.list_id} if isinstance(rule, InList) else set()


def _event_json(event: Event) -> dict[str, Any]:
    found: dict[str, Any] = {"event": event.name}
    found["count" if event.sum_of is None else "sum"] = _condition_json(event.condition)
    optional = {
        "property": event.sum_of,
        "within_days": event.within_days,
        "since": event.since,
        "until": event.until,
    }
    found |= {key: value for key, value in optional.items() if value is not None}
    if event.where:
        found["where"] = [{"property": one.property, **_condition_json(one.condition)} for one in event.where]
    return found


def _condition_json(condition: Condition) -> dict[str, Any]:
    if condition.value is None:
        return {"op": condition.op}
    value = condition.value
    return {"op": condition.op, "value": list(value) if isinstance(value, tuple) else value}


def inline(rule: Rule, known: Mapping[UUID, Rule], inside: frozenset[UUID] = frozenset()) -> Rule:
    """The rule with the rules of the segments it speaks of in their place.

    Raises RuleError where a segment is not known, or speaks of itself in the end.
    """
    if isinstance(rule, All):
        return All(tuple(inline(one, known, inside) for one in rule.rules))
    if isinstance(rule, AnyOf):
        return AnyOf(tuple(inline(one, known, inside) for one in rule.rules))
    if isinstance(rule, Not):
        return Not(inline(rule.rule, known, inside))
    if not isinstance(rule, InSegment):
        return rule
    if rule.segment_id in inside:
        raise RuleError([{"path": "rule", "message": f"segment {rule.segment_id} would be defined by itself"}])
    if rule.segment_id not in known:
        raise RuleError([{"path": "rule", "message": f"there is no segment {rule.segment_id}"}])
    return inline(known[rule.segment_id], known, inside | {rule.segment_id})


def count_parts(rule: Rule) -> int:
    """How many parts a rule has."""
    if isinstance(rule, All | AnyOf):
        return 1 + sum(count_parts(one) for one in rule.rules)
    return 1 + count_parts(rule.rule) if isinstance(rule, Not) else 1
