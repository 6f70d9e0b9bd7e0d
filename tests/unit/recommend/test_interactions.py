"""What the event log says that people did with items."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recommend.domain.interactions import Entry, Kind, lines_of, settle, undoes_whole_order

MEI = UUID(int=1)
NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)


def entry(event, properties, position=1, *, trusted=True, at=NOON, kind="track"):
    return Entry(position, kind, event, MEI, MEI, at, trusted, {"properties": properties})


def order(position, *items, event="Order Completed", trusted=True, at=NOON):
    products = [{"product_id": item, "quantity": 2} for item in items]
    return entry(event, {"order_id": "A-1", "products": products}, position, trusted=trusted, at=at)


def test_an_order_leaves_a_line_for_each_product():
    lines = lines_of(order(7, "longjing", "cup"))
    assert [(line.position, line.line, line.product_id, line.kind, line.quantity) for line in lines] == [
        (7, 0, "longjing", Kind.BOUGHT, 2.0),
        (7, 1, "cup", Kind.BOUGHT, 2.0),
    ]


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("Product Viewed", Kind.VIEWED),
        ("Product Clicked", Kind.CLICKED),
        ("Product Added", Kind.ADDED),
        ("Product Removed", Kind.REMOVED),
        ("Product Added to Wishlist", Kind.WISHED),
    ],
)
def test_what_is_done_with_one_product_leaves_one_line(event, kind):
    (line,) = lines_of(entry(event, {"product_id": "cup"}))
    assert (line.product_id, line.kind) == ("cup", kind)


def test_a_click_keeps_the_recommendation_it_came_from():
    shown = UUID(int=99)
    (line,) = lines_of(entry("Product Clicked", {"product_id": "cup", "recommendation_id": str(shown)}))
    assert line.recommendation_id == shown


def test_a_negative_quantity_in_an_order_is_a_return():
    (line,) = lines_of(entry("Order Completed", {"products": [{"product_id": "cup", "quantity": -3}]}))
    assert (line.kind, line.quantity) == (Kind.RETURNED, 3.0)


def test_a_partial_refund_names_what_came_back():
    refund = entry("Order Refunded", {"order_id": "A-1", "products": [{"sku": "cup", "quantity": 1}]})
    (line,) = lines_of(refund)
    assert (line.product_id, line.kind) == ("cup", Kind.RETURNED)
    assert not undoes_whole_order(refund)


FIELDS = st.sampled_from(["product_id", "sku", "quantity", "products"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(FIELDS, inner),
)


@given(ANYTHING)
def test_no_payload_however_odd_stops_the_reader(payload):
    for event in ("Order Completed", "Product Viewed", "Order Refunded", None):
        for properties in (payload, {"products": payload}, {"products": [payload]}, {"product_id": payload}):
            for line in lines_of(entry(event, properties)):
                assert line.product_id
                assert line.quantity >= 0


def test_other_entries_leave_nothing():
    assert lines_of(entry("Page Viewed", {"product_id": "cup"})) == []
    assert lines_of(entry("Product Viewed", {"product_id": "cup"}, kind="identify")) == []


CLAIMS = (
    order(1, "cup"),
    order(2, "cup", "pot", event="Order Updated", at=NOON + timedelta(hours=1)),
    order(3, "cup"),  # the same report, sent again
    order(4, "nothing", event="Order Updated", trusted=False, at=NOON + timedelta(days=1)),
)


@given(st.permutations(range(4)))
def test_whatever_the_order_of_arrival_the_last_trusted_correction_is_in_force(arrival):
    state = None
    for number in arrival:
        state = settle(state, [CLAIMS[number]])
    assert state is not None
    assert state.position == 2


def test_a_repeated_order_changes_nothing():
    first = settle(None, [order(1, "cup")])
    assert settle(first, [order(5, "cup")]) == first


@pytest.mark.parametrize("arrival", [(0, 1), (1, 0)])
def test_a_cancelled_order_is_cancelled_in_whatever_order_the_events_come(arrival):
    events = [order(1, "cup"), entry("Order Cancelled", {"order_id": "A-1"}, 2)]
    state = settle(None, [events[number] for number in arrival])
    assert state is not None
    assert (state.position, state.cancel_position) == (1, 2)


def test_a_browser_cannot_cancel_an_order_that_the_shops_server_reported():
    placed = settle(None, [order(1, "cup")])
    assert settle(placed, [entry("Order Cancelled", {"order_id": "A-1"}, 2, trusted=False)]) == placed
