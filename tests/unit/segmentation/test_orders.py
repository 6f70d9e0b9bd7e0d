"""Orders, refunds and cancellations as they come in events."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.segmentation.domain.orders import is_completed, kind_of, purchase

TEA = {"product_id": "tea-1", "category": "Tea", "price": 19.9, "quantity": 2}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ORDER_KEYS = ["order_id", "total", "revenue", "discount", "currency", "products"]
LINE_KEYS = ["product_id", "sku", "category", "price", "quantity", "discount", "total", "line_total"]


def order(**properties: Any) -> Any:
    return purchase("order", properties, 7, "CNY")


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("Order Completed", "order"),
        ("Order Updated", "order"),
        ("Completed Order", "order"),
        ("order_completed", "order"),
        ("Order Refunded", "refund"),
        ("Order Canceled", "cancel"),
        ("Product Viewed", None),
        ("", None),
    ],
)
def test_old_and_new_names_of_events_move_money(event: str, kind: str | None) -> None:
    assert kind_of(event) == kind


def test_an_update_of_an_order_is_no_further_order() -> None:
    assert is_completed("Completed Order")
    assert not is_completed("Order Updated")


def test_the_amount_is_the_total_else_the_revenue_else_the_lines() -> None:
    assert order(total=50, revenue=45, products=[TEA]).amount_minor == 5000
    assert order(revenue=45, products=[TEA]).amount_minor == 4500
    assert order(products=[TEA, {"price": 0.2}]).amount_minor == 4000
    assert order().amount_minor == 0


def test_a_line_is_its_total_else_price_times_quantity_less_the_discount() -> None:
    lines = order(
        products=[TEA, {**TEA, "discount": 3}, {**TEA, "total": 30, "discount": 3}, {**TEA, "line_total": "28.5"}]
    ).lines
    assert [line.total_minor for line in lines] == [3980, 3680, 3000, 2850]


def test_a_line_of_quantity_zero_is_kept_with_its_total() -> None:
    (line,) = order(products=[{"product_id": "fuel", "quantity": 0, "total": 12.5}]).lines
    assert (line.quantity, line.total_minor) == (0, 1250)


def test_yen_have_no_minor_unit() -> None:
    found = order(currency="JPY", total=1200, products=[{"price": 600, "quantity": 2}])
    assert (found.amount_minor, found.lines[0].total_minor, found.currency) == (1200, 1200, "JPY")


def test_the_discount_of_the_order_stands_before_those_of_its_lines() -> None:
    lines = [{**TEA, "discount": 2}, {**TEA, "discount": 1.5}]
    assert order(products=lines).discount_minor == 350
    assert order(products=lines, discount=5).discount_minor == 500


def test_an_order_of_a_negative_amount_is_a_return() -> None:
    found = order(order_id="C1", total=-20, products=[{**TEA, "quantity": -1, "total": -20}])
    assert (found.kind, found.amount_minor, found.lines[0].quantity) == ("refund", 2000, 1)


def test_a_refund_without_an_amount_is_of_all_that_is_left() -> None:
    assert purchase("refund", {"order_id": "o1"}, 7, "CNY").amount_minor is None
    assert purchase("refund", {"order_id": "o1", "total": 30}, 7, "CNY").amount_minor == 3000
    assert purchase("refund", {"order_id": "o1", "products": [TEA]}, 7, "CNY").amount_minor == 3980
    assert purchase("cancel", {"order_id": "o1", "total": 30}, 7, "CNY").amount_minor is None


def test_the_same_order_number_is_the_same_order_however_it_is_written() -> None:
    assert order(order_id=17).order_key == order(order_id=" 17 ").order_key


def test_an_order_without_a_number_is_never_a_repeat() -> None:
    keys = {purchase("order", {"order_id": blank}, at, "CNY").order_key for at in (1, 2) for blank in ("", None, True)}
    assert keys == {"position:1", "position:2"}
    assert order(order_id="position:1").order_key not in keys


def test_a_very_long_order_number_still_fits_an_index() -> None:
    assert len(order(order_id="9" * 5000).order_key) < 100


@given(
    st.sampled_from(["order", "refund", "cancel"]),
    st.dictionaries(st.sampled_from(ORDER_KEYS), json_values),
    st.lists(st.dictionaries(st.sampled_from(LINE_KEYS), json_values) | json_values, max_size=3),
)
def test_whatever_a_shop_sends_becomes_rows_and_never_an_error(
    kind: str, properties: dict[str, Any], products: list[Any]
) -> None:
    found = purchase(kind, {**properties, "products": products}, 7, "CNY")
    assert found.kind in {kind, "refund"}
    assert found.amount_minor is None or found.amount_minor >= 0
    assert found.discount_minor >= 0
    assert len(found.currency) == 3
    assert len(found.lines) in (0, sum(isinstance(product, dict) for product in products))
