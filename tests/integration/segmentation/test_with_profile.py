"""Through the real collector and appender: what a storefront sends is what segmentation knows."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.profile.actions import append
from services.segmentation.actions import memberships, segments
from tests.conftest import ServiceApi, Services
from tests.integration.segmentation.shopfront import NOW, Shopfront

AT = (NOW - timedelta(days=2)).isoformat()


class Storefront:
    """Sends Segment calls as a server and lets everybody read them."""

    def __init__(self, services: Services, shop: Shopfront, api: ServiceApi) -> None:
        self.services, self.shop, self.api = services, shop, api

    def send(self, *events: dict[str, Any]) -> None:
        reply = self.api.as_key("server").post(
            "/v1/batch", json={"batch": [{"timestamp": AT, **one} for one in events]}
        )
        assert reply.status_code == 200, reply.json
        self.publish()

    def publish(self) -> None:
        with self.services.acting("profile"):
            append.drain()
        self.shop.read()

    def customer(self, kind: str, value: str) -> UUID:
        found: UUID = self.shop.profile.value(
            "SELECT customer_id FROM identity WHERE kind = %(kind)s AND lookup = %(value)s",
            {"kind": kind, "value": value},
        )
        return found


@pytest.fixture
def storefront(services: Services, shop: Shopfront, profile_api: ServiceApi) -> Storefront:
    return Storefront(services, shop, profile_api)


def order(number: str, total: float, **who: str) -> dict[str, Any]:
    products = [{"product_id": "t", "name": "Longjing", "category": "Tea", "total": total, "quantity": 1}]
    bought = {"order_id": number, "total": total, "products": products}
    return {"type": "track", "event": "Order Completed", "properties": bought, **who}


def test_an_order_of_a_known_customer_arrives_with_who_they_are(shop: Shopfront, storefront: Storefront) -> None:
    traits = {"name": "Mei", "email": "mei@example.com", "city": "Hangzhou", "plan": "gold"}
    storefront.send({"type": "identify", "userId": "mei", "traits": traits}, order("o1", 40, userId="mei"))
    known = shop.features(storefront.customer("user_id", "mei"))
    assert (known["orders"], known["net_spend_minor"], known["favourite_category"]) == (1, 4000, "Tea")
    assert (known["identified"], known["has_email"], known["has_name"], known["has_phone"]) == (True, True, True, False)
    assert known["city"] == "Hangzhou"


def test_nothing_that_identifies_a_person_is_stored_in_the_clear(shop: Shopfront, storefront: Storefront) -> None:
    traits = {
        "name": "王小梅",
        "email": "mei@example.com",
        "phone": "+8613800138000",
        "address": {"street": "文三路 1 号"},
    }
    checkout = {"email": "mei@example.com", "total": 40, "note": "mei@example.com"}
    storefront.send(
        {"type": "identify", "userId": "mei", "traits": traits},
        {"type": "track", "event": "Checkout Started", "userId": "mei", "properties": checkout},
    )
    stored = shop.segmentation.all("SELECT to_jsonb(p)::text AS row FROM customer_profile AS p")
    stored += shop.segmentation.all("SELECT to_jsonb(e)::text AS row FROM event_fact AS e")
    text = " ".join(row["row"] for row in stored)
    assert "enc:1:" in text
    for secret in ("王小梅", "mei@example.com", "13800138000", "文三路"):
        assert secret not in text


def test_what_a_visitor_did_before_logging_in_is_theirs(shop: Shopfront, storefront: Storefront) -> None:
    storefront.send({"type": "page", "name": "Home", "anonymousId": "a1"}, order("o1", 40, anonymousId="a1"))
    visitor = storefront.customer("anonymous_id", "a1")
    assert shop.features(visitor)["orders"] == 1
    storefront.send({"type": "identify", "userId": "mei", "anonymousId": "a1"}, order("o2", 60, userId="mei"))
    mei = storefront.customer("user_id", "mei")
    assert storefront.customer("anonymous_id", "a1") == mei
    known = shop.features(mei)
    assert (known["orders"], known["net_spend_minor"], known["page_views_30d"]) == (2, 10000, 1)
    assert shop.segmentation.value("SELECT count(*) FROM customer_feature") == 1


def test_an_undone_merge_restores_what_was(
    shop: Shopfront, storefront: Storefront, profile_api: ServiceApi, services: Services
) -> None:
    with services.acting("segmentation"):
        big = segments.create("Big", "", {"feature": "net_spend_minor", "op": ">=", "value": 9000})
        memberships.refresh_stale()
    storefront.send(order("o1", 40, userId="mei"), order("o2", 60, userId="li"))
    before = {name: shop.features(storefront.customer("user_id", name)) for name in ("mei", "li")}
    storefront.send({"type": "alias", "previousId": "li", "userId": "mei"})
    both = storefront.customer("user_id", "mei")
    assert shop.features(both)["net_spend_minor"] == 10000
    members = "SELECT customer_id FROM membership WHERE segment_id = %(id)s"
    assert shop.segmentation.value(members, {"id": big.segment.segment_id}) == both
    (merge,) = profile_api.get(f"/v1/merges?customer_id={both}").json["items"]
    undone = profile_api.post(f"/v1/merges/{merge['merge_id']}/undo", json={})
    assert undone.status_code < 300, undone.json
    storefront.publish()
    after = {name: shop.features(storefront.customer("user_id", name)) for name in ("mei", "li")}
    for name in before:
        assert after[name]["net_spend_minor"] == before[name]["net_spend_minor"]
        assert after[name]["orders"] == 1
    assert shop.segmentation.value(members, {"id": big.segment.segment_id}) is None
