"""Orders and refunds as shops really send them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.campaign.domain.purchases import order_of, refund_of


@pytest.mark.parametrize(
    ("properties", "minor", "currency"),
    [
        ({"order_id": "1", "revenue": 12.5, "total": 20}, 1250, "CNY"),
        ({"order_id": "1", "total": "19.999", "currency": "usd"}, 2000, "USD"),
        ({"order_id": "1", "revenue": 1500, "currency": "JPY"}, 1500, "JPY"),
        ({"order_id": "1", "revenue": "1.2345", "currency": "KWD"}, 1235, "KWD"),
        ({"order_id": "1", "products": [{"price": 3, "quantity": 2}, {"total": 1.5}, "junk"]}, 750, "CNY"),
        ({"order_id": "1", "revenue": None, "total": 0}, 0, "CNY"),
    ],
)
def test_what_an_order_is_worth(properties, minor, currency):
    order = order_of(properties, "m1", "CNY")
    assert (order.revenue_minor, order.currency) == (minor, currency)


@pytest.mark.parametrize(
    "nonsense", [{}, {"revenue": "a lot"}, {"revenue": float("inf")}, {"revenue": True}, {"revenue": "1e99"}]
)
def test_an_order_that_names_no_amount_is_none(nonsense):
    assert order_of({"order_id": "1", **nonsense}, "m1", "CNY") is None


def test_orders_without_an_id_are_never_each_others_duplicates():
    first, second = (order_of({"revenue": 1}, message, "CNY") for message in ("m1", "m2"))
    assert first.order_id != second.order_id


def test_an_order_id_and_a_message_id_that_look_alike_are_two_orders():
    assert (
        order_of({"revenue": 1, "order_id": "m1"}, "x", "CNY").order_id
        != order_of({"revenue": 1}, "m1", "CNY").order_id
    )


def test_a_refund_without_an_amount_is_of_the_whole_order():
    assert refund_of({"order_id": "1"}, "m1", "CNY").amount_minor is None
    assert refund_of({"order_id": "1", "total": -5}, "m1", "CNY").amount_minor == 500


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["order_id", "revenue", "total", "currency", "products", "value"]), JSON))
def test_no_event_stops_the_reader(properties):
    order_of(properties, "m1", "CNY")
    refund_of(properties, "m1", "CNY")
