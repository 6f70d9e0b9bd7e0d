"""Insights and full computations over HTTP."""

from datetime import timedelta
from uuid import UUID

import pytest

from services.segmentation.actions import recompute
from shared.ids import uuid7
from tests.conftest import ServiceApi
from tests.integration.segmentation.shopfront import NOW, Shopfront


@pytest.fixture
def regulars(shop: Shopfront) -> list[UUID]:
    """Twelve customers: the first ordered once, the last twelve times, a guest once, all computed."""
    people = [shop.customer(f"Person {number}") for number in range(12)]
    for number, who in enumerate(people):
        for order in range(number + 1):
            shop.order(who, f"o{number}-{order}", NOW - timedelta(days=3 + 9 * order), 20 + number)
    shop.guest_order("guest", NOW - timedelta(days=1), 7)
    shop.read()
    run(shop)
    return people


def run(shop: Shopfront) -> None:
    with shop.services.acting("segmentation"):
        recompute.run_due()


def test_one_customer_is_explained(shop: Shopfront, regulars: list[UUID], segmentation_api: ServiceApi) -> None:
    best = segmentation_api.get(f"/v1/insights/customers/{regulars[-1]}").json
    assert (best["features"]["orders"], best["features"]["net_spend_minor"]) == (12, 12 * 3100)
    scores = {one["score"]: one for one in best["scores"]}
    assert (scores["rfm"]["value"], scores["rfm"]["label"]["zh"]) == ("champions", "重要价值客户")
    assert scores["rfm"]["parts"] == {"r": 5, "f": 5, "m": 5}
    assert scores["lifecycle"]["value"] == "active"
    for score in scores.values():
        assert score["definition"]["en"]
        assert score["basis"] == {"as_of": NOW.isoformat(), "customers": 12, "buyers": 12}
        assert all(reason["en"] and reason["zh"] for reason in score["reasons"])
    assert {"en": "buys every 9 days on average", "zh": "平均每 9 天下单一次"} in scores["lifecycle"]["reasons"]


def test_who_has_bought_nothing_is_explained_too(
    shop: Shopfront, regulars: list[UUID], segmentation_api: ServiceApi
) -> None:
    visitor = shop.customer()
    shop.entry(visitor, "page", None, NOW)
    shop.read()
    found = segmentation_api.get(f"/v1/insights/customers/{visitor}").json
    assert [one["value"] for one in found["scores"]] == [None, None]
    assert found["scores"][0]["reasons"][0]["en"] == "has no order that was kept"


def test_a_customer_nobody_knows_is_not_found(segmentation_api: ServiceApi) -> None:
    assert segmentation_api.get(f"/v1/insights/customers/{uuid7()}").json["code"] == "customer_unknown"


def test_the_shop_at_a_glance(regulars: list[UUID], segmentation_api: ServiceApi) -> None:
    found = segmentation_api.get("/v1/insights/overview").json
    assert found["customers"] | {"as_of": ""} == {
        "customers": 12,
        "identified": 12,
        "buyers": 12,
        "repeat_buyers": 11,
        "as_of": "",
    }
    (money,) = found["totals"]
    spent = sum(100 * (20 + number) * (number + 1) for number in range(12))
    assert (money["orders"], money["net_minor"], money["guest_gross_minor"]) == (79, spent + 700, 700)
    assert sum(week["gross_minor"] for week in found["weeks"]) == spent + 700
    assert sum(group["customers"] for group in found["lifecycle"]) == 12
    assert sum(group["net_spend_minor"]["CNY"] for group in found["rfm_cells"]) == spent
    assert found["basis"]["gaps"]["p50"] == 9


def test_an_empty_shop_has_an_overview(shop: Shopfront, segmentation_api: ServiceApi) -> None:
    found = segmentation_api.get("/v1/insights/overview").json
    assert (found["totals"], found["weeks"], found["basis"]) == ([], [], None)


def test_customers_are_listed_by_cell_and_stage(regulars: list[UUID], segmentation_api: ServiceApi) -> None:
    everybody = segmentation_api.get("/v1/insights/customers").json["items"]
    assert [one["customer_id"] for one in everybody] == [str(one) for one in regulars]
    first = segmentation_api.get("/v1/insights/customers?rfm_cell=champions&limit=1").json
    assert first["items"][0]["rfm_cell"] == "champions"
    rest = segmentation_api.get(f"/v1/insights/customers?rfm_cell=champions&cursor={first['next_cursor']}").json
    champions = [one for one in everybody if one["rfm_cell"] == "champions"]
    assert first["items"] + rest["items"] == champions
    assert segmentation_api.get("/v1/insights/customers?lifecycle=lost").json["items"] == []
    assert segmentation_api.get("/v1/insights/customers?lifecycle=gone").status_code == 422


def test_a_computation_is_asked_for_and_followed(shop: Shopfront, segmentation_api: ServiceApi) -> None:
    mei = shop.customer()
    shop.order(mei, "o1", NOW - timedelta(days=1), 40)
    asked = segmentation_api.post("/v1/recompute", json={})
    assert (asked.status_code, asked.json["state"], asked.json["total"]) == (202, "queued", None)
    run(shop)
    done = segmentation_api.get(f"/v1/recompute/{asked.json['job_id']}").json
    assert (done["state"], done["done"], done["total"], done["computed_as_of"]) == ("done", 1, 1, NOW.isoformat())
    assert segmentation_api.get("/v1/recompute").json["items"][0] == done
    # What was not read yet is read first.
    assert shop.features(mei)["orders"] == 1


def test_a_look_back_shows_what_was_known_then(shop: Shopfront, segmentation_api: ServiceApi) -> None:
    mei = shop.customer()
    shop.order(mei, "o1", NOW - timedelta(days=20), 40)
    shop.order(mei, "o2", NOW - timedelta(days=1), 40)
    then = NOW - timedelta(days=10)
    segmentation_api.post("/v1/recompute", json={"as_of": then.isoformat()})
    run(shop)
    known = shop.features(mei)
    assert (known["orders"], known["recency_days"], known["as_of"]) == (1, 10, then)
    # The regular computation sees that this is not today, and puts it right.
    run(shop)
    assert shop.features(mei)["orders"] == 2


@pytest.mark.parametrize("as_of", ["yesterday", 17, "2025-06-30T10:00:00"])
def test_an_instant_that_is_none_is_refused(segmentation_api: ServiceApi, as_of: object) -> None:
    assert segmentation_api.post("/v1/recompute", json={"as_of": as_of}).status_code == 422


def test_the_day_is_computed_once(shop: Shopfront) -> None:
    mei = shop.customer()
    shop.order(mei, "o1", NOW - timedelta(days=1), 40)
    shop.read()
    for _ in range(2):
        run(shop)
    shop.clock(NOW + timedelta(hours=11))
    run(shop)
    assert shop.segmentation.value("SELECT count(*) FROM recompute_job") == 1
    shop.clock(NOW + timedelta(hours=13))  # past midnight in Shanghai
    run(shop)
    assert shop.segmentation.value("SELECT count(*) FROM recompute_job") == 2
    assert shop.features(mei)["recency_days"] == 2
