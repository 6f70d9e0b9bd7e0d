"""Rules evaluated the slow and obvious way, one customer at a time, to hold the SQL against."""

import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
SIGNS = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
CONTACTS = {"email": "has_email", "phone": "has_phone", "name": "has_name"}
COLUMNS = {"country", "city", "locale", "time_zone", "user_id"}
TIMES = {"first_order_at", "last_order_at", "first_seen_at", "last_seen_at"}


@dataclass
class Happening:
    """Something a customer did."""

    event: str
    at: datetime
    properties: Mapping[str, Any]
    lines: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Person:
    """A customer: columns of features, scores and profile in one mapping, traits, and what they did."""

    known: Mapping[str, Any]
    traits: Mapping[str, Any]
    did: list[Happening]


@dataclass(frozen=True)
class World:
    """What a rule is evaluated under."""

    as_of: datetime
    currency: str = "CNY"

    def day(self, days_ago: int = 0) -> datetime:
        """When the business day began that many days ago."""
        day = self.as_of.astimezone(ZONE).date() - timedelta(days=days_ago)
        return datetime.combine(day, time.min, ZONE)

    def holds(self, rule: Mapping[str, Any], person: Person) -> bool:
        """Whether the rule (in its stored spelling) holds for the person."""
        if "all" in rule:
            return all(self.holds(one, person) for one in rule["all"])
        if "any" in rule:
            return any(self.holds(one, person) for one in rule["any"])
        if "not" in rule:
            return not self.holds(rule["not"], person)
        if "event" in rule:
            return self.event(rule, person)
        if "trait" in rule:
            return self.trait(rule, person)
        return self.column(rule, rule.get("feature") or rule["score"], person)

    def column(self, rule: Mapping[str, Any], name: str, person: Person) -> bool:
        value = person.known.get(name)
        if rule["op"] in ("exists", "missing"):
            known = bool(value) if isinstance(value, list) else value is not None
            return known == (rule["op"] == "exists")
        if value is None:
            return False
        if name.endswith("_minor") and person.known["currency"] != rule.get("currency", self.currency):
            return False
        if name in TIMES:
            return self.moment(rule, value)
        if isinstance(value, list):
            wanted = rule["value"] if rule["op"] == "in" else [rule["value"]]
            return not set(value).isdisjoint(wanted)
        return compare(rule["op"], value, rule["value"])

    def trait(self, rule: Mapping[str, Any], person: Person) -> bool:
        if rule["trait"] in CONTACTS:
            return bool(person.known[CONTACTS[rule["trait"]]]) == (rule["op"] == "exists")
        if rule["trait"] in COLUMNS:
            return self.column(rule, rule["trait"], person)
        return free(rule, reach(person.traits, rule["trait"]))

    def moment(self, rule: Mapping[str, Any], at: datetime) -> bool:
        op, value = rule["op"], rule["value"]
        if op in ("within_days", "older_than_days"):
            return (at >= self.day(value)) == (op == "within_days")
        return at < beginning(value) if op == "before" else at > end(value)

    def event(self, rule: Mapping[str, Any], person: Person) -> bool:
        found = [one for one in person.did if one.event == rule["event"] and one.at <= self.as_of]
        if "within_days" in rule:
            found = [one for one in found if one.at >= self.day(rule["within_days"])]
        if "since" in rule:
            found = [one for one in found if one.at >= beginning(rule["since"])]
        if "until" in rule:
            found = [one for one in found if one.at <= end(rule["until"])]
        found = [one for one in found if self.where(rule.get("where", []), one)]
        if "sum" in rule:
            values = [reach(one.properties, rule["property"]) for one in found]
            total = sum((Decimal(str(value)) for value in values if is_number(value)), Decimal(0))
            return compare(rule["sum"]["op"], total, rule["sum"]["value"])
        return compare(rule["count"]["op"], len(found), rule["count"]["value"])

    def where(self, tests: list[Mapping[str, Any]], one: Happening) -> bool:
        lines = [test for test in tests if test["property"].startswith("products.")]
        others = [test for test in tests if not test["property"].startswith("products.")]
        if lines and not any(all(typed(test, line[test["property"][9:]]) for test in lines) for line in one.lines):
            return False
        return all(free(test, reach(one.properties, test["property"])) for test in others)


def beginning(moment: str) -> datetime:
    if len(moment) == 10:
        return datetime.combine(date.fromisoformat(moment), time.min, ZONE)
    return datetime.fromisoformat(moment)


def end(moment: str) -> datetime:
    """The last microsecond that is not after the moment."""
    if len(moment) == 10:
        return beginning((date.fromisoformat(moment) + timedelta(days=1)).isoformat()) - timedelta(microseconds=1)
    return datetime.fromisoformat(moment)


def reach(values: Any, path: str) -> Any:
    for part in path.split("."):
        values = values.get(part) if isinstance(values, dict) else None
    return values


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def typed(test: Mapping[str, Any], value: Any) -> bool:
    if test["op"] in ("exists", "missing"):
        return (value is not None) == (test["op"] == "exists")
    return value is not None and compare(test["op"], value, test["value"])


def free(test: Mapping[str, Any], value: Any) -> bool:
    op, wanted = test["op"], test.get("value")
    if op in ("exists", "missing"):
        return (value is not None) == (op == "exists")
    if op in ("before", "after"):
        text = isinstance(value, str) and len(value) >= 10 and value[:4].isdigit()
        return text and (value[:10] < wanted if op == "before" else value[:10] > wanted)
    sample = wanted[0] if isinstance(wanted, list) else wanted
    if isinstance(sample, bool):
        return isinstance(value, bool) and compare(op, value, wanted)
    if isinstance(sample, str):
        if op == "contains" and isinstance(value, list):
            return wanted in [one for one in value if isinstance(one, str)]
        return isinstance(value, str) and compare(op, value, wanted)
    return is_number(value) and compare(op, Decimal(str(value)), wanted)


def compare(op: str, value: Any, wanted: Any) -> bool:
    if op == "in":
        return any(compare("=", value, one) for one in wanted)
    if op == "not_in":
        return not compare("in", value, wanted)
    if op == "between":
        return compare(">=", value, wanted[0]) and compare("<=", value, wanted[1])
    if op == "contains":
        return wanted in value
    if op == "starts_with":
        return bool(value.startswith(wanted))
    if isinstance(value, Decimal):
        wanted = Decimal(str(wanted))
    return bool(SIGNS[op](value, wanted))
