"""Following events one by one gives what computing everything anew gives, and the future changes nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.segmentation.actions import memberships, recompute, segments
from services.segmentation.actions.customers import compute_features, give_scores
from services.segmentation.actions.moments import moment_of
from services.segmentation.domain.scores import Basis
from services.segmentation.store import scores
from shared.database import transaction
from tests.integration.segmentation.shopfront import NOW, Shopfront

PEOPLE = 4
RULES = [
    {"feature": "orders", "op": ">=", "value": 2},
    {"feature": "net_spend_minor", "op": "<", "value": 5000},
    {"feature": "favourite_category", "op": "=", "value": "Tea"},
    {"event": "Order Completed", "count": {"op": ">=", "value": 1}, "within_days": 10},
    {"not": {"event": "$page", "within_days": 20}},
    {"event": "Order Completed", "where": [{"property": "products.category", "op": "=", "value": "Cups"}]},
    {
        "any": [
            {"score": "lifecycle", "op": "in", "value": ["new", "active"]},
            {"feature": "items", "op": ">", "value": 3},
        ]
    },
]


@dataclass(frozen=True)
class Deed:
    """Something that is written into the log; `minutes` before NOW."""

    kind: str
    who: int
    minutes: int
    order: int
    amount: int
    trusted: bool


deeds = st.builds(
    Deed,
    kind=st.sampled_from(["order", "order", "order", "update", "refund", "return", "cancel", "page", "merge", "split"]),
    who=st.integers(0, PEOPLE - 1),
    minutes=st.integers(1, 60 * 24 * 60),
    order=st.integers(1, 3),
    amount=st.sampled_from([0, 10, 25, 40]),
    trusted=st.booleans(),
)
slow = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@contextmanager
def undone(shop: Shopfront) -> Iterator[None]:
    """What is done inside is undone at its end."""
    with shop.services.connection_as("segmentation").transaction(force_rollback=True):
        yield


def write(shop: Shopfront, people: list[UUID], deed: Deed, at: datetime) -> None:
    who = people[deed.who]
    number = f"o{deed.order}"
    line = {"product_id": f"p{deed.order}", "category": ["Tea", "Cups"][deed.order % 2], "total": deed.amount}
    bought = {"order_id": number, "total": deed.amount, "products": [line]}
    if deed.kind == "merge":
        merge(shop, people, deed)
    elif deed.kind == "split":
        split(shop, who)
    elif deed.kind == "page":
        shop.entry(who, "page", None, at)
    elif deed.kind == "return":
        shop.order(who, f"r{deed.order}", at, -deed.amount - 1)
    else:
        event = {"update": "Order Updated", "refund": "Order Refunded", "cancel": "Order Cancelled"}
        shop.track(who, event.get(deed.kind, "Order Completed"), at, trusted=deed.trusted, **bought)


def owner(shop: Shopfront, identity: UUID) -> UUID:
    found: UUID = shop.profile.value(
        "SELECT customer_id FROM identity WHERE identity_id = %(identity)s", {"identity": identity}
    )
    return found


def merge(shop: Shopfront, people: list[UUID], deed: Deed) -> None:
    """The customers of two people become the older of the two, as profile does it."""
    both = sorted({owner(shop, people[deed.who]), owner(shop, people[deed.order % PEOPLE])})
    if len(both) == 2:
        shop.merge(*both)


def split(shop: Shopfront, identity: UUID) -> None:
    """Somebody merged away becomes their own customer again."""
    if owner(shop, identity) != identity:
        shop.split(owner(shop, identity), identity)


def state(shop: Shopfront) -> dict[str, list[dict[str, Any]]]:
    """Everything that is known of everybody, but for when it was computed."""
    tables = {
        "features": "SELECT to_jsonb(f) - 'as_of' AS row FROM customer_feature AS f ORDER BY customer_id",
        "scores": "SELECT to_jsonb(s) - 'basis_id' AS row FROM customer_score AS s ORDER BY customer_id",
        "members": "SELECT jsonb_build_array(segment_id, customer_id) AS row FROM membership ORDER BY row",
        "sizes": "SELECT jsonb_build_array(segment_id, size) AS row FROM segment_state ORDER BY row",
    }
    return {name: shop.segmentation.all(query) for name, query in tables.items()}


def open_shop(shop: Shopfront) -> list[UUID]:
    """People, a basis that scores them, and segments."""
    people = [shop.customer(f"Person {number}") for number in range(PEOPLE)]
    for number, who in enumerate(people):
        shop.order(who, f"first {number}", NOW - timedelta(days=30 + number), 15)
    shop.read()
    with shop.services.acting("segmentation"):
        recompute.ask(None)
        recompute.run_due()
        for number, rule in enumerate(RULES):
            segments.create(f"Segment {number}", "", rule)
        memberships.refresh_stale()
    return people


def compute_all(shop: Shopfront) -> None:
    """Everything anew, whose facts they are included, against the basis there is."""
    with shop.services.acting("segmentation"):
        with transaction() as tx:
            for table in ("event_fact", "purchase"):
                tx.execute(
                    f"""
                    UPDATE {table} AS f SET customer_id = m.customer_id
                    FROM profile_out.identity_map_v1 AS m WHERE m.identity_id = f.identity_id
                    """
                )
            customers = [row["customer_id"] for row in tx.all("SELECT customer_id FROM profile_out.customers_v1")]
            tx.execute("DELETE FROM customer_feature")
            tx.execute("DELETE FROM customer_profile")
            compute_features(tx, customers, moment_of(tx))
            basis = scores.newest_basis(tx)
            assert basis is not None
            tx.execute("DELETE FROM customer_score")
            give_scores(tx, customers, basis["basis_id"], Basis.from_json(basis["parameters"]))
            tx.execute("UPDATE segment_state SET stale = true")
        memberships.refresh_stale()


@pytest.fixture
def people(shop: Shopfront) -> list[UUID]:
    """People with an order each, a basis that scores them, and segments."""
    return open_shop(shop)


@slow
@given(done=st.lists(st.lists(deeds, max_size=6), min_size=1, max_size=4))
def test_following_the_log_gives_what_computing_everything_gives(
    shop: Shopfront, people: list[UUID], done: list[list[Deed]]
) -> None:
    with undone(shop):
        for batch in done:
            for deed in batch:
                write(shop, people, deed, NOW - timedelta(minutes=deed.minutes))
            shop.read()
        followed = state(shop)
        compute_all(shop)
        assert state(shop) == followed


@slow
@given(done=st.lists(deeds, max_size=10), future=st.lists(deeds, min_size=1, max_size=6))
def test_what_happens_later_changes_nothing_of_what_was_known(
    shop: Shopfront, people: list[UUID], done: list[Deed], future: list[Deed]
) -> None:
    happenings = [deed for deed in done + future if deed.kind not in ("merge", "split")]
    with undone(shop):
        for deed in happenings[: len(done)]:
            write(shop, people, deed, NOW - timedelta(minutes=deed.minutes))
        shop.read()
        before = state(shop)
        for deed in happenings[len(done) :]:
            write(shop, people, deed, NOW + timedelta(minutes=deed.minutes))
        shop.read()
        compute_all(shop)
        assert state(shop) == before


@settings(slow, max_examples=12)
@given(done=st.lists(deeds, max_size=6, unique_by=lambda deed: deed.minutes), order=st.randoms())
def test_the_order_of_arrival_changes_nothing(
    shop: Shopfront, people: list[UUID], done: list[Deed], order: Any
) -> None:
    happenings = [deed for deed in done if deed.kind not in ("merge", "split")]
    shuffled = list(happenings)
    order.shuffle(shuffled)
    found = []
    for arrivals in (happenings, shuffled):
        with undone(shop):
            for deed in arrivals:
                write(shop, people, deed, NOW - timedelta(minutes=deed.minutes))
                shop.read()
            found.append(state(shop))
    assert found[0] == found[1]
