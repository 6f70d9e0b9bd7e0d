"""Rules of segments as SQL over our own tables. Values travel as parameters, never in the text."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, assert_never
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg import sql

from services.segmentation.domain import days
from services.segmentation.domain import vocabulary as words
from services.segmentation.domain.conditions import Condition
from services.segmentation.domain.orders import is_completed
from services.segmentation.domain.rules import All, AnyOf, Event, Field, InList, InSegment, Not, Rule, Where
from services.segmentation.store.conditions import compare, json_test, sign

_PROFILE_COLUMNS: Final = frozenset(
    ("identified", "has_email", "has_phone", "has_name", "country", "city", "locale", "time_zone", "user_id")
)
_CONTACT_COLUMNS: Final = {"email": "has_email", "phone": "has_phone", "name": "has_name"}
_PEOPLE: Final = sql.SQL(
    "customer_feature AS f LEFT JOIN customer_score AS s USING (customer_id)"
    " LEFT JOIN customer_profile AS p USING (customer_id)"
)
_HOLDS: Final[dict[str, Callable[[float, float], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Context:
    """What a rule is evaluated under: the as-of instant, the shop's zone and currency, whom to look at (None: all)."""

    as_of: datetime
    zone: ZoneInfo
    currency: str
    customers: Sequence[UUID] | None = None


@dataclass(frozen=True)
class Query:
    """A statement with its parameters."""

    text: sql.Composed
    params: dict[str, Any]


def matching(rule: Rule, context: Context) -> Query:
    """The statement that selects the customer_id of everyone the rule (segments inlined) holds for."""
    compiler = _Compiler(context)
    condition = compiler.rule(rule)
    return compiler.query(sql.SQL("f.customer_id"), _PEOPLE, condition)


def matching_each(rules: Mapping[UUID, Rule], context: Context) -> Query:
    """The statement that selects (segment_id, customer_id) wherever a segment's rule holds: people are read once."""
    if len(rules) == 1:  # a condition of the WHERE clause can use an index
        (segment, rule), compiler = next(iter(rules.items())), _Compiler(context)
        columns = sql.SQL("{}::uuid AS segment_id, f.customer_id").format(compiler.bind(segment))
        return compiler.query(columns, _PEOPLE, compiler.rule(rule))
    compiler = _Compiler(context)
    holds = sql.SQL(", ").join([compiler.rule(rule) for rule in rules.values()])
    each = sql.SQL("{} CROSS JOIN LATERAL unnest({}::uuid[], ARRAY[{}]) AS t (segment_id, holds)")
    people = each.format(_PEOPLE, compiler.bind(list(rules)), holds)
    return compiler.query(sql.SQL("t.segment_id, f.customer_id"), people, sql.SQL("t.holds"))


@dataclass
class _Compiler:
    context: Context
    params: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: Any) -> sql.Composable:
        name = f"r{len(self.params)}"
        self.params[name] = value
        return sql.Placeholder(name)

    def query(self, columns: sql.Composable, people: sql.Composable, condition: sql.Composable) -> Query:
        whom = self.scope(sql.Identifier("f", "customer_id"))
        text = sql.SQL("SELECT {} FROM {} WHERE {} AND {}").format(columns, people, condition, whom)
        return Query(text, self.params)

    def scope(self, column: sql.Composable) -> sql.Composable:
        if self.context.customers is None:
            return sql.SQL("true")
        self.params["customers"] = self.context.customers
        return sql.SQL("{} = ANY(%(customers)s)").format(column)

    def rule(self, rule: Rule) -> sql.Composable:
        if isinstance(rule, All):
            return sql.SQL("({})").format(sql.SQL(" AND ").join(map(self.rule, rule.rules)))
        if isinstance(rule, AnyOf):
            return sql.SQL("({})").format(sql.SQL(" OR ").join(map(self.rule, rule.rules)))
        if isinstance(rule, Not):
            return sql.SQL("NOT {}").format(self.rule(rule.rule))
        if isinstance(rule, Field):
            return sql.SQL("coalesce({}, false)").format(self.field(rule))
        if isinstance(rule, Event):
            return self.event(rule)
        if isinstance(rule, InList):
            listed = sql.SQL("EXISTS (SELECT FROM listed AS n WHERE n.customer_id = f.customer_id AND n.list_id = {})")
            return listed.format(self.bind(rule.list_id))
        if isinstance(rule, InSegment):
            raise TypeError("segments are inlined before a rule is compiled")
        assert_never(rule)

    def field(self, test: Field) -> sql.Composable:
        condition = test.condition
        if test.source == "trait" and test.name in _CONTACT_COLUMNS:
            known = sql.Identifier("p", _CONTACT_COLUMNS[test.name])
            return known if condition.op == "exists" else sql.SQL("NOT coalesce({}, false)").format(known)
        if test.source == "trait" and test.name not in words.TRAITS:
            value = sql.SQL("p.traits #> {}::text[]").format(self.bind(test.name.split(".")))
            return json_test(value, condition, self.bind)
        kind = (words.FEATURES | words.SCORES | words.TRAITS)[test.name].kind
        if kind == words.TIME and condition.op not in words.PRESENCE:
            return self.time(self.column(test), condition)
        found = compare(self.column(test), kind, condition, self.bind)
        if kind != words.MONEY or condition.op in words.PRESENCE:
            return found
        return sql.SQL("(f.currency = {} AND {})").format(self.bind(test.currency or self.context.currency), found)

    def column(self, test: Field) -> sql.Composable:
        if test.name in _PROFILE_COLUMNS:
            return sql.Identifier("p", test.name)
        return sql.Identifier("s" if test.source == "score" else "f", test.name)

    def time(self, column: sql.Composable, condition: Condition) -> sql.Composable:
        """The test of an instant: before one, or from one on."""
        value: Any = condition.value
        zone = self.context.zone
        if condition.op in ("within_days", "older_than_days"):
            bound = days.days_before(self.context.as_of, value, zone)
        elif condition.op == "before":
            bound = days.first_instant(value, zone)
        else:
            bound = days.first_instant_after(value, zone)
        side = sql.SQL("<" if condition.op in ("before", "older_than_days") else ">=")
        return sql.SQL("{} {} {}").format(column, side, self.bind(bound))

    def event(self, event: Event) -> sql.Composable:
        """Customers by what they did; where doing nothing fulfils the condition, all but those who break it."""
        nothing_will_do = _holds(event.condition, 0)
        measure = sql.SQL("count(*)") if event.sum_of is None else self.summed(event.sum_of)
        bound: Any = event.condition.value
        if event.condition.op == "between":
            kept = sql.SQL("{} BETWEEN {}::numeric AND {}::numeric").format(
                measure, *(self.number(one) for one in bound)
            )
        else:
            kept = sql.SQL("{} {} {}::numeric").format(measure, sign(event.condition.op), self.number(bound))
        return sql.SQL("f.customer_id {within} ({did} GROUP BY e.customer_id HAVING {kept})").format(
            within=sql.SQL("NOT IN" if nothing_will_do else "IN"),
            did=self.happened(event),
            kept=sql.SQL("NOT ({})").format(kept) if nothing_will_do else kept,
        )

    def number(self, value: float) -> sql.Composable:
        return self.bind(Decimal(str(value)))

    def summed(self, name: str) -> sql.Composable:
        value = sql.SQL("e.properties #> {}::text[]").format(self.bind(name.split(".")))
        return sql.SQL("coalesce(sum(CASE WHEN jsonb_typeof({0}) = 'number' THEN ({0})::numeric END), 0)").format(value)

    def happened(self, event: Event) -> sql.Composable:
        """The rows `e` of an event in its window; of Order Completed, one for each order in force."""
        as_of = self.bind(self.context.as_of)
        source: sql.Composable = sql.SQL("event_fact AS e")
        if is_completed(event.name):
            whole = event.sum_of is not None or any(one.property not in words.PRODUCT_FIELDS for one in event.where)
            source = sql.SQL(_ORDERS if whole else _BARE_ORDERS).format(as_of=as_of)
            which: sql.Composable = sql.SQL("e.customer_id IS NOT NULL")
        else:
            which = sql.SQL("e.event = {} AND e.customer_id IS NOT NULL").format(self.bind(event.name))
        conditions = [which, sql.SQL("e.occurred_at <= {}").format(as_of), self.scope(sql.SQL("e.customer_id"))]
        conditions += self.window(event)
        conditions += self.where(event.where)
        return sql.SQL("SELECT e.customer_id FROM {} WHERE {}").format(source, sql.SQL(" AND ").join(conditions))

    def window(self, event: Event) -> list[sql.Composable]:
        zone = self.context.zone
        found: list[sql.Composable] = []
        if event.within_days is not None:
            since = days.days_before(self.context.as_of, event.within_days, zone)
            found.append(sql.SQL("e.occurred_at >= {}").format(self.bind(since)))
        if event.since is not None:
            found.append(sql.SQL("e.occurred_at >= {}").format(self.bind(days.first_instant(event.since, zone))))
        if event.until is not None:
            until = days.first_instant_after(event.until, zone)
            found.append(sql.SQL("e.occurred_at < {}").format(self.bind(until)))
        return found

    def where(self, tests: Sequence[Where]) -> list[sql.Composable]:
        """Tests of properties. Those of products hold together for one line of the order."""
        found: list[sql.Composable] = []
        lines = [self.line_test(one) for one in tests if one.property in words.PRODUCT_FIELDS]
        if lines:
            one_line = "EXISTS (SELECT FROM order_line AS l WHERE l.position = e.position AND {})"
            found.append(sql.SQL(one_line).format(sql.SQL(" AND ").join(lines)))
        for one in tests:
            if one.property not in words.PRODUCT_FIELDS:
                value = sql.SQL("e.properties #> {}::text[]").format(self.bind(one.property.split(".")))
                found.append(json_test(value, one.condition, self.bind))
        return found

    def line_test(self, test: Where) -> sql.Composable:
        column = sql.Identifier("l", test.property.removeprefix("products."))
        return compare(column, words.PRODUCT_FIELDS[test.property], test.condition, self.bind)


def _holds(condition: Condition, number: float) -> bool:
    value: Any = condition.value
    if condition.op == "between":
        return bool(value[0] <= number <= value[1])
    return _HOLDS[condition.op](number, value)


_BARE_ORDERS: Final = """
    (SELECT position, customer_id, placed_at AS occurred_at
     FROM purchase
     WHERE kind = 'order' AND occurred_at <= {as_of} AND (superseded_at IS NULL OR superseded_at > {as_of})
    ) AS e
"""

_ORDERS: Final = """
    (SELECT o.position, o.customer_id, o.placed_at AS occurred_at, b.properties
     FROM purchase AS o JOIN event_fact AS b USING (position)
     WHERE o.kind = 'order' AND o.occurred_at <= {as_of} AND (o.superseded_at IS NULL OR o.superseded_at > {as_of})
    ) AS e
"""
