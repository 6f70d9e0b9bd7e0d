"""Whom to offer an item: who buys dark tea, and what came of it last month."""

from datetime import timedelta
from uuid import UUID

import pytest

from services.recommend.domain.interactions import Kind
from shared.ids import uuid7
from tests.integration.recommend.conftest import NOON, tea

KEYS = {"longjing": 0, "biluochun": 1, "puer": 2, "cup": 3, "pot": 4, "scale": 5}


def bought(tx, people, item, days_ago):
    """One line for each of these customers."""
    tx.execute(
        """
        INSERT INTO interaction (position, line, identity_id, customer_id, item_key, kind, quantity, occurred_at)
        SELECT (SELECT coalesce(max(position), 0) FROM interaction) + row_number() OVER (), 0, id, id, %(key)s,
               %(kind)s, 1, %(at)s
        FROM unnest(%(people)b::uuid[]) AS id
        """,
        {"people": people, "key": KEYS[item], "kind": int(Kind.BOUGHT), "at": NOON - timedelta(days=days_ago)},
    )


@pytest.fixture
def people(recommend_tx, teas):
    """300 drinkers of dark tea, half of whom buy it every month, and 300 of green tea, of whom a few do."""
    found = [uuid7() for _ in range(600)]
    dark, green = found[:300], found[300:]
    bought(recommend_tx, dark, "puer", 70)
    bought(recommend_tx, dark, "pot", 50)
    bought(recommend_tx, green, "longjing", 60)
    bought(recommend_tx, dark[:150], "puer", 10)
    bought(recommend_tx, green[:6], "puer", 12)
    return {"dark": dark, "green": green}


def ask(api, **asked):
    reply = api.post("/v1/audiences", json=asked)
    assert reply.status_code == 200, reply.get_json()
    return reply.get_json()


def test_those_who_buy_it_come_first_with_the_rate_at_which_they_did(recommend_api, people):
    found = ask(recommend_api, item_id="puer", limit=400)
    assert found["reach"] == {
        "customers": 600, "eligible": 600, "selected": 400,
        "excluded": {"bought_recently": 0, "not_contactable": 0, "other_country": 0},
    }  # fmt: skip
    best = found["customers"][:300]
    assert {UUID(one["customer_id"]) for one in best} <= {*people["dark"], *people["green"][:6]}
    old = next(one for one in found["customers"] if UUID(one["customer_id"]) == people["dark"][0])
    assert old["low"] < 0.5 < old["high"]
    assert old["bought_before"]
    assert "has_bought_it" in old["reasons"]
    assert found["reason_texts"]["has_bought_it"]["zh"] == "以前买过"
    assert found["calibration"]["basis"] == "item"
    assert (found["calibration"]["people"], found["calibration"]["buyers"]) == (600, 156)
    assert found["calibration"]["auc"] > 0.8
    assert found["expected"]["low"] < found["expected"]["buyers"] < found["expected"]["high"]
    assert found["curve"][-1]["customers"] == 600
    assert found["curve"][0]["buyers"] < found["curve"][-1]["buyers"] < 200


def test_who_bought_it_lately_is_left_out_and_counted(recommend_api, people):
    found = ask(recommend_api, item_id="puer", exclude_bought_within_days=30)
    shown = {UUID(one["customer_id"]) for one in found["customers"]}
    assert shown == {*people["dark"][150:], *people["green"][6:]}
    assert found["reach"]["excluded"]["bought_recently"] == 156


def test_an_item_nobody_bought_yet_is_offered_to_those_of_its_category_at_its_share(recommend_api, people):
    recommend_api.put("/v1/items", json={"items": [tea("liubao", 70, "Tea > Dark")]})
    found = ask(recommend_api, item_id="liubao", limit=100)
    assert found["calibration"]["basis"] == "category"
    assert {UUID(one["customer_id"]) for one in found["customers"]} <= set(people["dark"])
    assert 0 < found["expected"]["buyers"] < 1


def test_a_category_has_its_audience(recommend_api, people):
    found = ask(recommend_api, category="Tea > Dark", limit=150)
    assert (found["item_id"], found["category"]) == (None, ["Tea", "Dark"])
    assert {UUID(one["customer_id"]) for one in found["customers"]} <= {*people["dark"], *people["green"][:6]}


def test_with_too_few_purchases_nobody_is_promised_anything_and_still_ranked(recommend_api, people):
    found = ask(recommend_api, item_id="cup", limit=5)
    assert (found["expected"], found["curve"], found["calibration"]["basis"]) == (None, [], "none")
    assert len(found["customers"]) == 5
    assert {one["probability"] for one in found["customers"]} == {None}


def test_only_those_with_an_address_in_a_segment_and_a_country(recommend_api, people, profile_tx, segmentation_tx):
    for number, customer in enumerate(people["dark"][:4]):
        profile_tx.execute(
            """
            WITH seen AS (INSERT INTO customer_seen VALUES (%(id)s, now(), now()))
            INSERT INTO customer (customer_id, identified, country, email, traits, updated_at)
            VALUES (%(id)s, true, %(country)s, %(email)s, '{}', now())
            """,
            {"id": customer, "country": "cn" if number else "NZ", "email": "sealed" if number != 1 else None},
        )
    reached = ask(recommend_api, item_id="puer", contactable=["email"])
    assert reached["reach"]["excluded"]["not_contactable"] == 597
    there = ask(recommend_api, item_id="puer", contactable=["email"], country="CN")
    assert {UUID(one["customer_id"]) for one in there["customers"]} == set(people["dark"][2:4])
    segment = uuid7()
    segmentation_tx.execute(
        """
        WITH made AS (
            INSERT INTO segment (segment_id, name, description, rule, version) VALUES (%(id)s, 'friends', '', '{}', 1)
        )
        INSERT INTO segment_state (segment_id) VALUES (%(id)s)
        """,
        {"id": segment},
    )
    segmentation_tx.execute(
        "INSERT INTO membership (segment_id, customer_id, since) SELECT %(id)s, unnest(%(people)b::uuid[]), now()",
        {"id": segment, "people": people["green"][:10]},
    )
    found = ask(recommend_api, item_id="puer", segment_id=str(segment))
    assert {UUID(one["customer_id"]) for one in found["customers"]} == set(people["green"][:10])
    assert found["reach"]["customers"] == 10


def test_a_probability_can_be_asked_for(recommend_api, people):
    found = ask(recommend_api, item_id="puer", min_probability=0.3)
    assert 150 <= found["reach"]["eligible"] <= 310
    assert min(one["probability"] for one in found["customers"]) >= 0.3


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"item_id": "scale"}, 422, "item_off_sale"),
        ({"item_id": "nothing"}, 404, "not_found"),
        ({"category": "Nothing"}, 404, "not_found"),
        ({"category": 7}, 422, "schema"),
        ({"item_id": "puer", "category": "Tea"}, 422, "schema"),
        ({}, 422, "schema"),
        ({"item_id": "puer", "segment_id": "01920000-0000-7000-8000-000000000000"}, 404, "not_found"),
    ],
)
def test_what_cannot_be_offered_is_refused_with_the_reason(recommend_api, teas, asked, status, code):
    reply = recommend_api.post("/v1/audiences", json=asked)
    assert (reply.status_code, reply.get_json()["code"]) == (status, code)


def test_a_category_that_is_all_sold_out_is_refused(recommend_api, teas):
    recommend_api.put("/v1/items", json={"items": [tea("puer", 88, "Tea > Dark", stock=0)]})
    reply = recommend_api.post("/v1/audiences", json={"category": "Tea > Dark"})
    assert (reply.status_code, reply.get_json()["code"]) == (422, "category_off_sale")


def test_without_customers_the_audience_is_empty_and_no_error(recommend_api, teas):
    found = ask(recommend_api, item_id="puer")
    assert (found["customers"], found["reach"]["customers"], found["expected"]) == ([], 0, None)


def test_a_storefront_may_not_ask_for_audiences(recommend_api, teas):
    assert recommend_api.as_key("storefront").post("/v1/audiences", json={"item_id": "puer"}).status_code == 403


def test_who_computed_an_audience_is_written_down(recommend_api, people, recommend_tx):
    ask(recommend_api.as_key("server"), item_id="puer", limit=7)
    entry = recommend_tx.one("SELECT action, subject_id, after FROM audit_log ORDER BY entry_id DESC LIMIT 1")
    assert (entry["action"], entry["subject_id"], entry["after"]["limit"]) == ("audience.compute", "puer", 7)
