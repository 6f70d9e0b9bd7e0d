"""Features from the facts."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.segmentation.actions import insights
from tests.integration.segmentation.shopfront import NOW, Shopfront

TEA = {"product_id": "t1", "category": "Tea", "price": 20, "quantity": 2}
CUP = {"product_id": "c1", "category": "Cups", "price": 20.5}


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def totals(shop: Shopfront) -> list[dict[str, Any]]:
    with shop.services.acting("segmentation"):
        found: list[dict[str, Any]] = insights.overview()["totals"]
    return found


def test_orders_become_spend_rhythm_and_favourites(shop: Shopfront) -> None:
    mei = shop.customer("Mei", city="Hangzhou")
    shop.order(mei, "o1", days_ago(12), 40, products=[TEA])
    shop.order(mei, "o2", days_ago(2), 60.5, products=[TEA, CUP])
    shop.read()
    known = shop.features(mei)
    assert (known["orders"], known["net_spend_minor"], known["currency"]) == (2, 10050, "CNY")
    assert (known["recency_days"], known["mean_gap_days"], known["avg_order_minor"]) == (2, 10, 5025)
    assert (known["favourite_category"], known["items"], known["distinct_products"]) == ("Tea", 5, 2)
    assert known["favourite_categories"] == ["Tea", "Cups"]
    assert (known["city"], known["has_name"], known["has_email"]) == ("Hangzhou", True, False)


def test_a_customer_who_only_looked_around_has_features_without_orders(shop: Shopfront) -> None:
    li = shop.customer("Li")
    shop.entry(li, "page", None, days_ago(1))
    shop.read()
    known = shop.features(li)
    assert (known["orders"], known["net_spend_minor"], known["recency_days"]) == (0, 0, None)
    assert (known["page_views_30d"], known["sessions_30d"], known["days_since_seen"]) == (1, 1, 1)


def test_the_same_order_told_twice_is_one_order(shop: Shopfront) -> None:
    mei = shop.customer()
    shop.order(mei, "o1", days_ago(3), 40, products=[TEA])
    shop.order(mei, "o1", days_ago(3), 40, products=[TEA])
    shop.read()
    assert (shop.features(mei)["orders"], shop.features(mei)["items"]) == (1, 2)
    assert totals(shop)[0]["orders"] == 1


def test_an_updated_order_replaces_the_first_but_keeps_its_day(shop: Shopfront) -> None:
    mei = shop.customer()
    shop.order(mei, "o1", days_ago(9), 40, products=[TEA])
    shop.read()
    shop.track(mei, "Order Updated", days_ago(1), order_id="o1", total=20.5, products=[CUP])
    shop.read()
    known = shop.features(mei)
    assert (known["orders"], known["net_spend_minor"], known["recency_days"]) == (1, 2050, 9)
    assert known["favourite_category"] == "Cups"


def test_an_older_version_that_comes_late_does_not_replace_a_newer(shop: Shopfront) -> None:
    mei = shop.customer()
    shop.track(mei, "Order Updated", days_ago(1), order_id="o1", total=20)
    shop.order(mei, "o1", days_ago(9), 40)
    shop.read()
    known = shop.features(mei)
    assert (known["orders"], known["net_spend_minor"], known["recency_days"]) == (1, 2000, 9)


def test_what_a_browser_claims_never_replaces_what_the_shop_said(shop: Shopfront) -> None:
    mei, thief = shop.customer(), shop.customer()
    shop.order(mei, "o1", days_ago(3), 40)
    shop.track(thief, "Order Completed", days_ago(2), trusted=False, order_id="o1", total=0.01)
    shop.track(thief, "Order Refunded", days_ago(2), trusted=False, order_id="o1")
    shop.read()
    assert (shop.features(mei)["orders"], shop.features(mei)["net_spend_minor"]) == (1, 4000)
    assert (shop.features(thief)["orders"], shop.features(thief)["net_spend_minor"]) == (0, 0)


def test_the_shop_confirms_what_a_browser_said_first(shop: Shopfront) -> None:
    guest, mei = shop.customer(), shop.customer()
    shop.track(guest, "Order Completed", days_ago(3), trusted=False, order_id="o1", total=40)
    shop.read()
    assert shop.features(guest)["orders"] == 1
    shop.order(mei, "o1", days_ago(3) + timedelta(seconds=2), 42)
    shop.read()
    assert (shop.features(guest)["orders"], shop.features(mei)["orders"]) == (0, 1)
    assert shop.features(mei)["net_spend_minor"] == 4200


@pytest.mark.parametrize(
    ("event", "properties", "orders", "net"),
    [
        ("Order Refunded", {"total": 15}, 1, 2500),
        ("Order Refunded", {"total": 40}, 0, 0),
        ("Order Refunded", {"total": -40}, 0, 0),
        ("Order Refunded", {}, 0, 0),
        ("Order Refunded", {"total": 99}, 0, 0),
        ("Order Refunded", {"products": [{**TEA, "quantity": 1}]}, 1, 2000),
        ("Order Cancelled", {}, 0, 0),
        ("Order Cancelled", {"total": 40}, 0, 0),
    ],
)
def test_what_is_taken_back_is_no_spend(
    shop: Shopfront, event: str, properties: dict[str, Any], orders: int, net: int
) -> None:
    mei = shop.customer()
    shop.order(mei, "o1", days_ago(3), 40, products=[TEA])
    shop.track(mei, event, days_ago(1), order_id="o1", **properties)
    shop.read()
    known = shop.features(mei)
    assert (known["orders"], known["orders_placed"], known["net_spend_minor"]) == (orders, 1, net)
    assert (known["recency_days"] is None) == (orders == 0)
    assert totals(shop)[0]["net_minor"] == net


def test_two_partial_refunds_can_make_a_full_one(shop: Shopfront) -> None:
    mei = shop.customer()
    shop.order(mei, "o1", days_ago(3), 40)
    for total in (15, 25):
        shop.track(mei, "Order Refunded", days_ago(1), order_id="o1", total=total)
    shop.read()
    assert (shop.features(mei)["orders"], shop.features(mei)["net_spend_minor"]) == (0, 0)


def test_a_refund_that_comes_before_its_order_still_counts(shop: Shopfront) -> None:
    mei = shop.customer()
    shop.track(mei, "Order Refunded", days_ago(1), order_id="o1", total=10)
    shop.read()
    assert shop.features(mei)["net_spend_minor"] == -1000
    shop.order(mei, "o1", days_ago(3), 40)
    shop.read()
    assert shop.features(mei)["net_spend_minor"] == 3000


def test_a_return_of_exactly_an_orders_amount_takes_that_order_back(shop: Shopfront) -> None:
    """Online Retail's customer 12346: a huge order, cancelled the same day under another number."""
    one = shop.customer()
    shop.order(
        one, "541431", days_ago(3), 77183.6, products=[{"product_id": "23166", "price": 1.04, "quantity": 74215}]
    )
    shop.order(one, "C541433", days_ago(3) + timedelta(minutes=16), -77183.6)
    shop.read()
    known = shop.features(one)
    assert (known["orders"], known["orders_placed"], known["net_spend_minor"], known["items"]) == (0, 1, 0, 0)


def test_a_return_of_another_amount_lowers_the_spend_only(shop: Shopfront) -> None:
    one = shop.customer()
    shop.order(one, "o1", days_ago(3), 40, products=[TEA])
    shop.order(one, "C1", days_ago(1), -20, products=[{**TEA, "quantity": -1, "total": -20}])
    shop.read()
    known = shop.features(one)
    assert (known["orders"], known["net_spend_minor"], known["items"]) == (1, 2000, 1)
    assert totals(shop)[0]["net_minor"] == 2000


def test_one_return_takes_one_of_two_equal_orders_back(shop: Shopfront) -> None:
    one = shop.customer()
    for number in (1, 2):
        shop.order(one, f"o{number}", days_ago(9 - number), 40)
    shop.order(one, "C1", days_ago(1), -40)
    shop.read()
    assert (shop.features(one)["orders"], shop.features(one)["net_spend_minor"]) == (1, 4000)


def test_an_order_of_nothing_is_an_order(shop: Shopfront) -> None:
    mei = shop.customer()
    shop.order(mei, "gift", days_ago(3), 0, products=[{"product_id": "sample", "quantity": 1, "total": 0}])
    shop.read()
    known = shop.features(mei)
    assert (known["orders"], known["net_spend_minor"], known["avg_order_minor"], known["items"]) == (1, 0, 0, 1)


def test_orders_without_a_number_are_never_repeats(shop: Shopfront) -> None:
    mei = shop.customer()
    for _ in range(2):
        shop.track(mei, "Order Completed", days_ago(3), total=40)
    shop.read()
    assert shop.features(mei)["orders"] == 2


def test_guests_are_nobody_but_their_money_is_in_the_totals(shop: Shopfront) -> None:
    mei = shop.customer()
    shop.order(mei, "o1", days_ago(3), 40)
    shop.guest_order("o2", days_ago(3), 60)
    shop.guest_order("o3", days_ago(2), 10)
    shop.read()
    assert shop.segmentation.value("SELECT count(*) FROM customer_feature") == 1
    (money,) = totals(shop)
    assert (money["orders"], money["guest_orders"], money["net_minor"], money["guest_gross_minor"]) == (
        3,
        2,
        11000,
        7000,
    )


def test_currencies_are_never_added_up(shop: Shopfront) -> None:
    mei = shop.customer()
    shop.order(mei, "o1", days_ago(30), 40)
    shop.order(mei, "o2", days_ago(20), 60)
    shop.order(mei, "o3", days_ago(2), 9000, currency="JPY", products=[{"category": "Manga", "price": 9000}])
    shop.read()
    known = shop.features(mei)
    assert (known["orders"], known["other_currency_orders"], known["recency_days"]) == (3, 1, 2)
    assert (known["currency"], known["net_spend_minor"], known["avg_order_minor"]) == ("CNY", 10000, 5000)
    assert known["favourite_category"] is None
    assert [(one["currency"], one["net_minor"]) for one in totals(shop)] == [("CNY", 10000), ("JPY", 9000)]


def test_recency_counts_the_shops_days_not_utcs(shop: Shopfront) -> None:
    mei = shop.customer()
    # 23:30 of 29 June in Shanghai; in UTC it is the same day as NOW's eve, less than a day ago.
    shop.order(mei, "o1", NOW - timedelta(hours=12, minutes=30), 40)
    shop.read()
    assert shop.features(mei)["recency_days"] == 1


def test_two_orders_of_one_day_are_one_day_of_buying(shop: Shopfront) -> None:
    mei = shop.customer()
    for number, days in enumerate((20, 20.1, 5)):
        shop.order(mei, f"o{number}", days_ago(days), 40)
    shop.read()
    known = shop.features(mei)
    assert (known["orders"], known["order_days"], known["gaps_days"], known["mean_gap_days"]) == (3, 2, [15], 15)


def test_the_last_gap_is_told_apart_from_those_before(shop: Shopfront) -> None:
    mei = shop.customer()
    for number, days in enumerate((100, 90, 80, 3)):
        shop.order(mei, f"o{number}", days_ago(days), 40)
    shop.read()
    known = shop.features(mei)
    assert (known["last_gap_days"], known["previous_gap_days"], known["gaps_days"]) == (77, 10, [10, 10, 77])


def test_the_share_of_discount_is_of_the_price_before_it(shop: Shopfront) -> None:
    mei = shop.customer()
    shop.order(mei, "o1", days_ago(3), 30, discount=10)
    shop.order(mei, "o2", days_ago(2), 60)
    shop.read()
    assert shop.features(mei)["discount_share"] == pytest.approx(0.1)


def test_half_an_hour_of_silence_ends_a_visit(shop: Shopfront) -> None:
    mei = shop.customer()
    for minutes in (0, 10, 35, 66, 200):
        shop.entry(mei, "page", None, days_ago(1) + timedelta(minutes=minutes))
    for session in ("a", "b", "a"):
        shop.track(mei, "Product Viewed", days_ago(2), session_id=session)
    shop.entry(mei, "page", None, days_ago(40))
    shop.read()
    known = shop.features(mei)
    assert (known["sessions_30d"], known["page_views_30d"], known["events_30d"]) == (5, 5, 8)


def test_what_profile_knows_is_followed(shop: Shopfront) -> None:
    mei = shop.customer("Mei", city="Hangzhou")
    shop.entry(mei, "identify", None, days_ago(2))
    shop.read()
    shop.describe(mei, city="Chengdu", email="enc:1:sealed")
    shop.entry(mei, "identify", None, days_ago(1))
    shop.read()
    assert (shop.features(mei)["city"], shop.features(mei)["has_email"]) == ("Chengdu", True)


def test_a_merge_makes_one_customer_and_a_split_two_again(shop: Shopfront) -> None:
    mei, phone = shop.customer("Mei"), shop.customer()
    shop.order(mei, "o1", days_ago(9), 40)
    shop.order(phone, "o2", days_ago(3), 60)
    shop.read()
    before = shop.features(mei), shop.features(phone)
    shop.merge(mei, phone)
    shop.read()
    assert (shop.features(mei)["orders"], shop.features(mei)["net_spend_minor"]) == (2, 10000)
    assert shop.segmentation.value("SELECT count(*) FROM customer_feature") == 1
    shop.split(mei, phone)
    shop.read()
    assert (shop.features(mei), shop.features(phone)["net_spend_minor"]) == (before[0], before[1]["net_spend_minor"])


def test_an_event_of_the_future_counts_when_its_time_has_come(shop: Shopfront) -> None:
    mei = shop.customer()
    shop.order(mei, "o1", NOW + timedelta(hours=2), 40)
    shop.read()
    assert shop.features(mei)["orders"] == 0
    shop.clock(NOW + timedelta(hours=3))
    shop.read()
    assert shop.features(mei)["orders"] == 1


def test_a_refund_is_not_tied_to_an_order_that_is_still_to_come(shop: Shopfront) -> None:
    mei = shop.customer()
    shop.track(mei, "Order Refunded", days_ago(1), order_id="o1", total=10)
    shop.order(mei, "o1", NOW + timedelta(days=1), 40)
    shop.read()
    assert (shop.features(mei)["orders"], shop.features(mei)["net_spend_minor"]) == (0, -1000)


def test_an_update_of_the_future_does_not_replace_yet(shop: Shopfront) -> None:
    mei = shop.customer()
    shop.order(mei, "o1", days_ago(1), 40)
    shop.track(mei, "Order Updated", NOW + timedelta(days=1), order_id="o1", total=90)
    shop.read()
    assert shop.features(mei)["net_spend_minor"] == 4000
    shop.clock(NOW + timedelta(days=2))
    shop.read()
    assert shop.features(mei)["net_spend_minor"] == 9000
