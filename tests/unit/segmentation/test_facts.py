"""Log entries -> facts."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.segmentation.domain.facts import NOW_DUE, gather
from tests.unit.segmentation.test_orders import json_values

NOW = datetime(2025, 6, 30, 4, tzinfo=UTC)
MEI, LI = UUID(int=1), UUID(int=2)


def entry(kind: str, event: str | None = None, payload: Any = None, **other: Any) -> dict[str, Any]:
    return {
        "position": 1,
        "type": kind,
        "event": event,
        "identity_id": MEI,
        "customer_id": MEI,
        "occurred_at": NOW,
        "trusted": True,
        "payload": payload or {},
        **other,
    }


def test_an_order_is_an_event_a_purchase_and_its_lines() -> None:
    properties = {"order_id": "o1", "total": 40, "products": [{"product_id": "tea"}, {"product_id": "cup"}]}
    facts = gather([entry("track", "Order Completed", {"properties": properties})], "CNY", NOW)
    assert len(facts.events) == len(facts.purchases) == 1
    assert len(facts.lines) == 2
    assert facts.order_keys == {"order:o1"}
    assert facts.events[0][-1] == {"order_id": "o1", "total": 40}


def test_views_are_behaviour_with_their_name() -> None:
    entries = [entry("page", None, {"name": "Home", "properties": {"path": "/"}}), entry("screen")]
    names = [(event[3], event[6]) for event in gather(entries, "CNY", NOW).events]
    assert names == [("$page", {"name": "Home", "path": "/"}), ("$screen", {})]


def test_a_session_is_found_where_the_clients_put_it() -> None:
    payloads = [
        {"context": {"sessionId": 1718}},
        {"context": {"session": {"id": "s2"}}},
        {"properties": {"session_id": "s3"}},
        {"context": {"sessionId": True}},
        {"context": "none"},
    ]
    facts = gather([entry("page", None, payload) for payload in payloads], "CNY", NOW)
    assert [event[5] for event in facts.events] == ["1718", "s2", "s3", None, None]


def test_an_event_of_the_future_makes_its_customer_due_again_then() -> None:
    later = NOW + timedelta(days=2)
    facts = gather([entry("track", "Tea Brewed", occurred_at=later)], "CNY", NOW)
    assert facts.touched == {(MEI, NOW_DUE), (MEI, later)}


def test_a_guest_touches_nobody() -> None:
    facts = gather([entry("track", "Order Completed", identity_id=None, customer_id=None)], "CNY", NOW)
    assert facts.touched == set()
    assert len(facts.purchases) == 1


def test_a_merge_touches_all_it_names() -> None:
    payload = {"customers": [str(LI)], "identities": [str(LI)], "into": str(MEI)}
    facts = gather([entry("merge", None, payload, identity_id=None, customer_id=None)], "CNY", NOW)
    assert facts.touched == {(MEI, NOW_DUE), (LI, NOW_DUE)}
    assert facts.identities == {LI}
    assert facts.events == []


@given(
    st.sampled_from(["track", "page", "screen", "identify", "group", "alias"]),
    st.none() | st.text(max_size=20) | st.just("Order Completed"),
    st.dictionaries(st.sampled_from(["properties", "context", "traits", "name", "category"]), json_values),
)
def test_no_payload_stops_the_reader(kind: str, event: str | None, payload: dict[str, Any]) -> None:
    facts = gather([entry(kind, event, payload)], "CNY", NOW)
    assert len(facts.events) <= 1
    assert facts.touched == {(MEI, NOW_DUE)}
