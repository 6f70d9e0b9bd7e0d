"""Rules as SQL: the same answer as the slow and obvious way, whatever stands in them."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from services.segmentation.domain.rule_parser import parse
from services.segmentation.domain.rules import as_json
from services.segmentation.store.rules import Context, matching
from shared.database import Transaction
from shared.ids import uuid7
from tests.integration.segmentation.naive import ZONE, Happening, Person, World
from tests.unit.segmentation.rule_makers import CATEGORIES, CITIES, EVENTS, STAGE_NAMES, leaves, rules

NOW = datetime(2025, 6, 30, 4, tzinfo=UTC)
WORLD = World(NOW)
draw = random.Random(7)


class Crowd:
    """A few dozen people with a bit of everything, in the tables and in memory."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        self.position = 0
        self.people = {uuid7(): self.person() for _ in range(40)}
        for customer, person in self.people.items():
            self.store(customer, person)

    def person(self) -> Person:
        seen = [self.instant() for _ in range(draw.randint(0, 5))]
        known = {
            "currency": draw.choice(["CNY", "USD"]),
            "orders": draw.randint(0, 4),
            "net_spend_minor": draw.choice([-3, 0, 5, 10, 1000]),
            "recency_days": draw.choice([None, 0, 3, 10]),
            "discount_share": draw.choice([None, 0.0, 0.1, 0.25]),
            "favourite_category": draw.choice([None, *CATEGORIES]),
            "favourite_categories": draw.sample(CATEGORIES, draw.randint(0, 2)),
            "last_order_at": draw.choice([None, *seen]),
            "last_seen_at": max(seen, default=None),
            "identified": draw.choice([True, False]),
            "city": draw.choice([None, *CITIES]),
            "has_email": draw.choice([True, False]),
            "rfm_r": draw.choice([None, 1, 3, 5]),
            "lifecycle": draw.choice([None, *STAGE_NAMES]),
        }
        return Person(known, self.traits(), [self.happening(at) for at in seen])

    def instant(self) -> datetime:
        """Anywhere in the last weeks, at the very edge of a day, or in the future."""
        edge = WORLD.day(draw.randint(0, 40)) - timedelta(microseconds=draw.choice([0, 1]))
        return draw.choice([NOW - timedelta(days=draw.uniform(0, 50)), edge, NOW + timedelta(hours=1)])

    def traits(self) -> dict[str, Any]:
        kinds = [None, "gold", "Hangzhou", 3, 2.5, 0.1, True, False, ["Ch", "gold"], "2025-06-14T08:00:00Z", {"a": 1}]
        found = {"plan": draw.choice(kinds), "box": {"size": draw.choice(kinds)}, "tags": draw.choice(kinds)}
        return {name: value for name, value in found.items() if draw.random() < 0.8}

    def happening(self, at: datetime) -> Happening:
        event = draw.choice(EVENTS[:3])
        kinds = [None, 1, 2.5, "1", "gold", True, "2025-06-20", ["Ch"]]
        properties = {"price": draw.choice(kinds), "colour": draw.choice(kinds), "deep": {"er": draw.choice(kinds)}}
        lines = [
            {"product_id": "p", "category": draw.choice([None, *CATEGORIES]), "quantity": draw.choice([0.0, 1.0, 2.5])}
            for _ in range(draw.randint(0, 2))
        ]
        return Happening(event, at, properties, lines if event == "Order Completed" else [])

    def meant(self, rule: dict[str, Any]) -> set[UUID]:
        """Whom the rule holds for, by the slow and obvious way."""
        stored = as_json(parse(rule))
        return {customer for customer, person in self.people.items() if WORLD.holds(stored, person)}

    def store(self, customer: UUID, person: Person) -> None:
        row = {**person.known, "customer": customer, "traits": Jsonb(person.traits), "now": NOW}
        for statement in _PERSON:
            self.tx.execute(statement, row)
        for one in person.did:
            self.position += 1
            place = {"position": self.position, "customer": customer, "at": one.at, "event": one.event}
            self.tx.execute(_EVENT, {**place, "properties": Jsonb(one.properties)})
            if one.event == "Order Completed":
                self.tx.execute(_ORDER, place)
            for number, line in enumerate(one.lines):
                self.tx.execute(_LINE, {**place, **line, "line": number})


@pytest.fixture
def crowd(segmentation_tx: Transaction) -> Iterator[Crowd]:
    return Crowd(segmentation_tx)


def found(tx: Transaction, rule: dict[str, Any], customers: list[UUID] | None = None) -> set[UUID]:
    query = matching(parse(rule), Context(NOW, ZONE, "CNY", customers))
    return {row["customer_id"] for row in tx.all(query.text, query.params)}


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(made=st.lists(leaves, min_size=4, max_size=8))
def test_sql_finds_whom_a_person_with_a_pencil_would_find(crowd: Crowd, made: list[dict[str, Any]]) -> None:
    for rule in made:
        assert found(crowd.tx, rule) == crowd.meant(rule)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rule=rules)
def test_all_any_and_not_mean_what_they_say(crowd: Crowd, rule: dict[str, Any]) -> None:
    assert found(crowd.tx, rule) == crowd.meant(rule)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rule=rules, share=st.integers(0, 40))
def test_looking_at_some_customers_finds_the_same_among_them(crowd: Crowd, rule: dict[str, Any], share: int) -> None:
    some = list(crowd.people)[:share]
    assert found(crowd.tx, rule, some) == found(crowd.tx, rule) & set(some)


HOSTILE = [
    "'; DROP TABLE customer_feature; --",
    '"; SELECT pg_sleep(60); --',
    "%(r0)s",
    "%s %% {} {0} {condition}",
    "\\'; --",
    "$1",
    "a'||(SELECT current_user)||'",
    "\u202e\ufeff",
    "{1,2}",
    "*",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_only_a_text(crowd: Crowd, text: str) -> None:
    somebody = next(iter(crowd.people))
    crowd.tx.execute(
        "UPDATE customer_profile SET city = %(text)s, traits = %(traits)s WHERE customer_id = %(somebody)s",
        {"text": text, "traits": Jsonb({text.replace(".", "-"): text}), "somebody": somebody},
    )
    name = text.replace(".", "-")
    for rule in (
        {"trait": "city", "op": "=", "value": text},
        {"trait": "city", "op": "in", "value": [text]},
        {"trait": name, "op": "=", "value": text},
        {"trait": name, "op": "contains", "value": text},
    ):
        assert found(crowd.tx, rule) == {somebody}
    for rule in (
        {"event": text, "where": [{"property": text, "op": "=", "value": text}]},
        {"event": "Order Completed", "sum": {"op": ">", "value": 0}, "property": text},
        {"event": "Order Completed", "where": [{"property": "products.category", "op": "=", "value": text + "!"}]},
    ):
        assert found(crowd.tx, rule) == set()
    assert crowd.tx.value("SELECT count(*) FROM customer_feature") == len(crowd.people)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_no_text_ever_breaks_out(crowd: Crowd, text: str) -> None:
    for rule in (
        {"trait": text, "op": "!=", "value": text},
        {"event": text, "where": [{"property": text, "op": "exists"}]},
        {"feature": "favourite_categories", "op": "contains", "value": text},
    ):
        try:
            parse(rule)
        except ValueError:
            continue
        found(crowd.tx, rule)


_PERSON = (
    """
    INSERT INTO customer_profile (customer_id, identified, city, has_email, has_phone, has_name, traits)
    VALUES (%(customer)s, %(identified)s, %(city)s, %(has_email)s, false, false, %(traits)s)
    """,
    """
    INSERT INTO customer_feature (customer_id, currency, orders, orders_placed, other_currency_orders,
        gross_spend_minor, refunds_minor, net_spend_minor, discount_minor, discount_share, recency_days, order_days,
        gaps_days, items, distinct_products, favourite_category, favourite_categories, last_order_at, last_seen_at,
        events_30d, page_views_30d, sessions_30d, as_of)
    VALUES (%(customer)s, %(currency)s, %(orders)s, 0, 0, 0, 0, %(net_spend_minor)s, 0, %(discount_share)s,
        %(recency_days)s, 0, '{}', 0, 0, %(favourite_category)s, %(favourite_categories)s, %(last_order_at)s,
        %(last_seen_at)s, 0, 0, 0, %(now)s)
    """,
    """
    INSERT INTO customer_score (customer_id, rfm_r, lifecycle, basis_id)
    VALUES (%(customer)s, %(rfm_r)s, %(lifecycle)s, %(customer)s)
    """,
)
_EVENT = """
    INSERT INTO event_fact (position, customer_id, event, occurred_at, properties)
    VALUES (%(position)s, %(customer)s, %(event)s, %(at)s, %(properties)s)
"""
_ORDER = """
    INSERT INTO purchase (position, kind, order_key, customer_id, occurred_at, placed_at, trusted, amount_minor,
                          discount_minor, currency)
    VALUES (%(position)s, 'order', %(position)s::text, %(customer)s, %(at)s, %(at)s, true, 0, 0, 'CNY')
"""
_LINE = """
    INSERT INTO order_line (position, line, product_id, category, quantity, total_minor, discount_minor)
    VALUES (%(position)s, %(line)s, %(product_id)s, %(category)s, %(quantity)s, 0, 0)
"""
