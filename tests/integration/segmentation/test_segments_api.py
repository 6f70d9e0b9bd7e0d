"""Segments over HTTP."""

from datetime import timedelta

from services.segmentation.actions import memberships
from tests.conftest import ServiceApi
from tests.integration.segmentation.shopfront import NOW, Shopfront

BIG = {"feature": "net_spend_minor", "op": ">=", "value": 10000}


def test_a_segment_finds_its_members_and_follows_events(shop: Shopfront, segmentation_api: ServiceApi) -> None:
    mei, li = shop.customer("Mei"), shop.customer("Li")
    shop.order(mei, "o1", NOW - timedelta(days=3), 150)
    shop.order(li, "o2", NOW - timedelta(days=3), 50)
    shop.read()
    made = segmentation_api.post("/v1/segments", json={"name": "Big spenders", "rule": BIG})
    assert made.status_code == 201, made.json
    with shop.services.acting("segmentation"):
        memberships.refresh_stale()
    address = f"/v1/segments/{made.json['segment_id']}"
    members = segmentation_api.get(address + "/customers").json["items"]
    assert [one["customer_id"] for one in members] == [str(mei)]
    shop.order(li, "o3", NOW - timedelta(days=1), 70)
    shop.read()
    assert segmentation_api.get(address).json["size"] == 2
    print(segmentation_api.get("/v1/insights/overview").json)
    print(segmentation_api.get(f"/v1/insights/customers/{mei}").json)
    print(segmentation_api.post("/v1/segments/preview", json={"rule": BIG}).json)
    print(segmentation_api.get("/v1/segments/vocabulary").json.keys(), made.json)
    print(segmentation_api.post("/v1/recompute", json={}).json)
    from services.segmentation.actions import recompute

    with shop.services.acting("segmentation"):
        recompute.run_due()
    print(segmentation_api.get("/v1/recompute").json)
    print(segmentation_api.get(f"/v1/insights/customers/{mei}").json)
    print(segmentation_api.get("/v1/insights/overview").json)
