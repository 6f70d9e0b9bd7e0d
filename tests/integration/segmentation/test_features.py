"""Features from the facts."""

from datetime import datetime, timedelta

from tests.integration.segmentation.shopfront import NOW, Shopfront


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def test_an_order_becomes_spend_recency_and_a_favourite_category(shop: Shopfront) -> None:
    mei = shop.customer("Mei", city="Hangzhou")
    tea = [{"product_id": "t1", "category": "Tea", "price": 20, "quantity": 2}]
    shop.order(mei, "o1", days_ago(12), 40, products=tea)
    shop.order(mei, "o2", days_ago(2), 60.5, products=[*tea, {"product_id": "c", "category": "Cups", "price": 20.5}])
    shop.read()
    known = shop.features(mei)
    assert (known["orders"], known["net_spend_minor"], known["currency"]) == (2, 10050, "CNY")
    assert (known["recency_days"], known["mean_gap_days"], known["avg_order_minor"]) == (2, 10, 5025)
    assert (known["favourite_category"], known["items"], known["distinct_products"]) == ("Tea", 5, 2)
    assert known["city"] == "Hangzhou"
