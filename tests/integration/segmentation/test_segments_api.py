"""Segments over HTTP."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.segmentation.actions import memberships
from shared.ids import uuid7
from tests.conftest import ServiceApi
from tests.integration.segmentation.shopfront import NOW, Shopfront

BIG = {"feature": "net_spend_minor", "op": ">=", "value": 10000}
SEGMENT = {"name": "Big spenders", "description": "Worth a call", "rule": BIG}


@pytest.fixture
def people(shop: Shopfront) -> list[UUID]:
    """Mei spent 150, Li 50."""
    mei, li = shop.customer("Mei"), shop.customer("Li")
    shop.order(mei, "o1", NOW - timedelta(days=3), 150)
    shop.order(li, "o2", NOW - timedelta(days=3), 50)
    shop.read()
    return [mei, li]


def make(api: ServiceApi, **changes: Any) -> str:
    made = api.post("/v1/segments", json={**SEGMENT, **changes})
    assert made.status_code == 201, made.json
    return f"/v1/segments/{made.json['segment_id']}"


def refresh(shop: Shopfront) -> None:
    with shop.services.acting("segmentation"):
        memberships.refresh_stale()


def test_a_segment_is_made_found_and_filled(shop: Shopfront, people: list[UUID], segmentation_api: ServiceApi) -> None:
    address = make(segmentation_api)
    waiting = segmentation_api.get(address)
    assert (waiting.json["stale"], waiting.json["size"], waiting.json["refreshed_at"]) == (True, 0, None)
    assert waiting.json["rule_text"]["en"] == "net spend at least 100.00 CNY"
    refresh(shop)
    ready = segmentation_api.get(address).json
    assert (ready["stale"], ready["size"], ready["refreshed_at"]) == (False, 1, NOW.isoformat())
    (member,) = segmentation_api.get(address + "/customers").json["items"]
    assert (member["customer_id"], member["net_spend_minor"], member["since"]) == (
        str(people[0]),
        15000,
        NOW.isoformat(),
    )


def test_members_come_page_by_page(shop: Shopfront, people: list[UUID], segmentation_api: ServiceApi) -> None:
    address = make(segmentation_api, rule={"feature": "orders", "op": ">=", "value": 1})
    refresh(shop)
    first = segmentation_api.get(address + "/customers?limit=1").json
    second = segmentation_api.get(address + f"/customers?limit=1&cursor={first['next_cursor']}").json
    assert [one["customer_id"] for page in (first, second) for one in page["items"]] == sorted(map(str, people))
    assert second["next_cursor"] is None


def test_segments_come_page_by_page_without_the_archived(segmentation_api: ServiceApi) -> None:
    addresses = [make(segmentation_api, name=f"Segment {number}") for number in range(3)]
    segmentation_api.delete(addresses[1])
    first = segmentation_api.get("/v1/segments?limit=1").json
    second = segmentation_api.get(f"/v1/segments?limit=1&cursor={first['next_cursor']}").json
    assert [one["name"] for page in (first, second) for one in page["items"]] == ["Segment 0", "Segment 2"]
    assert second["next_cursor"] is None
    (put_away,) = segmentation_api.get("/v1/segments?archived=true").json["items"]
    assert put_away["archived_at"] is not None


def test_two_people_do_not_overwrite_each_other(segmentation_api: ServiceApi) -> None:
    address = make(segmentation_api)
    seen = segmentation_api.get(address).headers["ETag"]
    changed = segmentation_api.put(address, json={**SEGMENT, "name": "Biggest"}, headers={"If-Match": seen})
    assert (changed.status_code, changed.json["version"], changed.headers["ETag"]) == (200, 2, '"2"')
    late = segmentation_api.put(address, json={**SEGMENT, "name": "Huge"}, headers={"If-Match": seen})
    assert (late.status_code, late.json["code"]) == (412, "changed_meanwhile")
    assert segmentation_api.delete(address, headers={"If-Match": seen}).status_code == 412
    assert segmentation_api.delete(address, headers={"If-Match": '"2"'}).status_code == 204
    assert segmentation_api.put(address, json=SEGMENT).status_code == 404


def test_a_change_of_the_name_alone_finds_nobody_anew(shop: Shopfront, segmentation_api: ServiceApi) -> None:
    address = make(segmentation_api)
    refresh(shop)
    renamed = segmentation_api.put(address, json={**SEGMENT, "name": "Whales"}).json
    assert (renamed["version"], renamed["stale"]) == (2, False)


def test_a_name_is_used_once(segmentation_api: ServiceApi) -> None:
    address = make(segmentation_api)
    again = segmentation_api.post("/v1/segments", json={**SEGMENT, "name": "BIG spenders"})
    assert (again.status_code, again.json["code"]) == (409, "name_taken")
    segmentation_api.delete(address)
    make(segmentation_api)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": "A", "rule": {"all": [{**BIG, "op": "≥"}]}}, "rule.all[0].op"),
        ({"name": "A", "rule": None}, "rule"),
        ({"name": "A", "rule": "everybody"}, "rule"),
        ({"name": "A"}, "rule"),
        ({"name": "", "rule": BIG}, "name"),
        ({"name": "A\nB", "rule": BIG}, "name"),
        ({"name": "A", "rule": BIG, "colour": "red"}, "colour"),
        ({"name": "A", "rule": {"segment": str(uuid7())}}, "rule"),
    ],
)
def test_a_segment_that_is_none_is_refused_with_the_place(
    segmentation_api: ServiceApi, body: dict[str, Any], path: str
) -> None:
    refused = segmentation_api.post("/v1/segments", json=body)
    assert refused.status_code == 422
    assert refused.content_type == "application/problem+json"
    assert [error for error in refused.json["errors"] if error["path"] == path], refused.json


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"name": "A", "rule": ' + b"[" * 100_000])
def test_what_is_no_json_is_refused(segmentation_api: ServiceApi, body: bytes) -> None:
    refused = segmentation_api.post("/v1/segments", data=body, content_type="application/json")
    assert refused.status_code in (400, 422)


def test_a_segment_can_speak_of_another_but_not_of_itself(segmentation_api: ServiceApi) -> None:
    big = make(segmentation_api)
    big_id = big.rsplit("/", 1)[1]
    loyal = make(
        segmentation_api,
        name="Loyal",
        rule={"all": [{"segment": big_id}, {"feature": "orders", "op": ">", "value": 2}]},
    )
    loyal_id = loyal.rsplit("/", 1)[1]
    assert segmentation_api.get(loyal).json["rule_text"]["en"] == "in segment “Big spenders” and orders above 2"
    circle = segmentation_api.put(big, json={**SEGMENT, "rule": {"not": {"segment": loyal_id}}})
    assert (circle.status_code, circle.json["code"]) == (422, "rule_invalid")
    in_use = segmentation_api.delete(big)
    assert (in_use.status_code, in_use.json["code"]) == (409, "segment_in_use")


def test_a_preview_counts_and_shows_without_changing_anything(
    shop: Shopfront, people: list[UUID], segmentation_api: ServiceApi
) -> None:
    found = segmentation_api.post(
        "/v1/segments/preview", json={"rule": {"feature": "orders", "op": "=", "value": 1}}
    ).json
    assert (found["size"], found["total"]) == (2, 2)
    assert [one["customer_id"] for one in found["sample"]] == [str(one) for one in people]
    assert found["rule_text"]["zh"] == "订单数等于 1"
    assert segmentation_api.get("/v1/segments").json["items"] == []


def test_a_preview_of_nonsense_says_what_is_wrong(segmentation_api: ServiceApi) -> None:
    refused = segmentation_api.post("/v1/segments/preview", json={"rule": {"any": [{"event": "x", "within_days": -1}]}})
    assert refused.status_code == 422
    assert refused.json["errors"][0]["path"] == "rule.any[0].within_days"


def test_the_vocabulary_names_what_there_is(shop: Shopfront, people: list[UUID], segmentation_api: ServiceApi) -> None:
    shop.describe(people[0], traits={"plan": "gold", "vip": True})
    shop.entry(people[0], "identify", None, NOW)
    shop.track(people[0], "Product Viewed", NOW)
    shop.read()
    found = segmentation_api.get("/v1/segments/vocabulary").json
    assert found["events"] == ["$identify", "Order Completed", "Product Viewed"]
    assert found["trait_names"] == ["plan", "vip"]
    lifecycle = next(one for one in found["scores"] if one["name"] == "lifecycle")
    assert lifecycle["label"] == {"en": "lifecycle stage", "zh": "生命周期阶段"}
    assert "won_back" in lifecycle["values"]


@pytest.mark.parametrize(
    ("kind", "method", "path", "status"),
    [
        (None, "GET", "/v1/segments", 401),
        ("collect", "GET", "/v1/segments", 403),
        ("storefront", "POST", "/v1/segments/preview", 403),
        ("server", "GET", "/v1/segments", 200),
        ("server", "POST", "/v1/segments", 403),
        ("server", "POST", "/v1/recompute", 403),
        ("collect", "GET", "/v1/insights/overview", 403),
    ],
)
def test_a_key_does_only_what_its_kind_may(
    segmentation_api: ServiceApi, kind: str | None, method: str, path: str, status: int
) -> None:
    answer = segmentation_api.as_key(kind).open(path, method=method, json={"rule": BIG} if method == "POST" else None)
    assert answer.status_code == status


@pytest.mark.parametrize("cursor", ["x", "bm90IGpzb24", "WzFd", "WyJhIl0"])
def test_a_made_up_cursor_is_refused(segmentation_api: ServiceApi, cursor: str) -> None:
    refused = segmentation_api.get(f"/v1/segments?cursor={cursor}")
    assert (refused.status_code, refused.json["code"]) == (400, "bad_cursor")


def test_a_repeated_request_makes_one_segment(segmentation_api: ServiceApi) -> None:
    key = {"Idempotency-Key": str(uuid7())}
    first, second = (segmentation_api.post("/v1/segments", json=SEGMENT, headers=key) for _ in range(2))
    assert first.json["segment_id"] == second.json["segment_id"]


def members(api: ServiceApi, address: str) -> set[str]:
    return {one["customer_id"] for one in api.get(address + "/customers").json["items"]}


def test_a_segment_of_named_customers_is_a_fixed_list(
    shop: Shopfront, people: list[UUID], segmentation_api: ServiceApi
) -> None:
    mei, li = people
    stranger = uuid7()
    named = {"name": "For the new tea", "customers": [str(mei), str(stranger), str(mei)]}
    made = segmentation_api.post("/v1/segments", json=named)
    assert made.status_code == 201, made.json
    address = f"/v1/segments/{made.json['segment_id']}"
    assert made.json["rule"] == {"list": made.json["segment_id"]}
    assert made.json["rule_text"]["zh"] == "在固定的客户名单中"
    refresh(shop)
    assert members(segmentation_api, address) == {str(mei)}
    shop.order(li, "o3", NOW - timedelta(hours=3), 900)
    shop.read()
    assert members(segmentation_api, address) == {str(mei)}
    rule = {"all": [made.json["rule"], {"not": BIG}]}
    both = make(segmentation_api, name="On the list, spends little", rule=rule)
    refresh(shop)
    assert members(segmentation_api, both) == set()


def test_who_is_merged_stays_on_the_list_and_comes_back_when_split(
    shop: Shopfront, people: list[UUID], segmentation_api: ServiceApi
) -> None:
    mei, li = people
    made = segmentation_api.post("/v1/segments", json={"name": "Listed", "customers": [str(mei)]}).json
    address = f"/v1/segments/{made['segment_id']}"
    refresh(shop)
    shop.merge(li, mei)
    shop.read()
    assert members(segmentation_api, address) == {str(li)}
    again = segmentation_api.post("/v1/segments", json={"name": "By the old id", "customers": [str(mei)]}).json
    refresh(shop)
    assert members(segmentation_api, f"/v1/segments/{again['segment_id']}") == {str(li)}


@pytest.mark.parametrize(
    "given",
    [
        {"name": "Neither"},
        {"name": "Both", "rule": BIG, "customers": ["01920000-0000-7000-8000-000000000000"]},
        {"name": "Nobody", "customers": []},
        {"name": "Nameless", "customers": ["mei"]},
        {"name": "Nowhere", "rule": {"list": "01920000-0000-7000-8000-000000000000"}},
        {"name": "No id", "rule": {"list": "mei"}},
    ],
)
def test_a_list_that_is_none_is_refused(segmentation_api: ServiceApi, given: dict[str, Any]) -> None:
    assert segmentation_api.post("/v1/segments", json=given).status_code == 422
