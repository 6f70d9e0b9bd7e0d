"""How a slot's places are filled, and what people are told of each item."""

import pytest

from services.recommend.actions import interactions, training
from tests.integration.recommend.conftest import tea


def ask(api, **asked):
    reply = api.post("/v1/recommendations", json=asked)
    assert reply.status_code == 200, reply.get_json()
    return reply.get_json()


def ids(answer):
    return [item["item_id"] for item in answer["items"]]


@pytest.fixture
def api(recommend_api, shop, teas, as_recommend):
    """Twelve people buy Longjing with a cup, ten pu'er with a pot; Mei buys Longjing every ten days."""
    for number in range(12):
        shop.bought(f"green {number}", "longjing", "cup", days_ago=40 + number)
    for number in range(10):
        shop.bought(f"dark {number}", "puer", "pot", days_ago=40 + number)
    for days_ago in (28, 18, 8):
        shop.bought("mei", "longjing", days_ago=days_ago)
    shop.happened("Product Viewed", "mei", {"product_id": "pot"}, days_ago=2)
    shop.happened("Product Viewed", "mei", {"product_id": "biluochun"}, days_ago=1)
    for number in range(8):
        shop.happened("Product Viewed", f"new {number}", {"product_id": "biluochun"}, days_ago=0.5)
    as_recommend(interactions.read_events)
    assert recommend_api.post("/v1/models").status_code == 202
    assert as_recommend(training.train_if_due)
    return recommend_api


def test_what_is_bought_together_is_told_with_what(api):
    answer = ask(api, strategy="bought_together", n=1, context={"item_id": "longjing"})
    assert ids(answer) == ["cup"]
    assert answer["items"][0]["reason"] == "bought_together"
    assert answer["items"][0]["reason_text"] == {
        "en": "Bought together with 龙井 Longjing",
        "zh": "常与龙井 Longjing一起购买",
    }
    assert answer["strategies"] == ["bought_together"]


def test_what_goes_with_the_cart_completes_it(api):
    answer = ask(api, slot="cart", n=2, context={"cart": ["puer", "longjing"]})
    assert set(ids(answer)) == {"cup", "pot"}
    assert {item["reason"] for item in answer["items"]} == {"fits_cart"}
    assert (answer["slot"], answer["strategies"]) == ("cart", ["cart_complements"])


def test_what_is_bought_in_a_rhythm_comes_with_its_day(api):
    answer = ask(api, user_id="mei", strategy="buy_again", n=1)
    (item,) = answer["items"]
    assert (item["item_id"], item["due_on"]) == ("longjing", "2026-05-22")
    assert item["reason_text"]["en"] == "You may need it again around 22 May"
    assert item["reason_text"]["zh"] == "你可能在5月22日前后又需要它"


def test_what_was_viewed_comes_the_last_first(api):
    answer = ask(api, user_id="mei", strategy="recently_viewed", n=5)
    assert ids(answer) == ["biluochun", "pot"]
    assert answer["shortfall"]["reason"] == "too_few_available" if answer["shortfall"]["on_sale"] < 5 else True
    assert answer["shortfall"]["proposed"] == 2


def test_what_is_wanted_more_than_usual_trends(api):
    answer = ask(api, strategy="trending", n=1)
    assert ids(answer) == ["biluochun"]
    assert answer["items"][0]["reason_text"] == {"en": "Trending now", "zh": "正在流行"}


def test_new_arrivals_need_no_model(recommend_api, teas):
    recommend_api.put("/v1/items", json={"items": [tea("gaiwan", 66, "Ware", published_at="2026-05-19T00:00:00Z")]})
    recommend_api.put("/v1/items", json={"items": [tea("tray", 99, "Ware", published_at="2030-05-19T00:00:00Z")]})
    answer = ask(recommend_api, strategy="new_arrivals", n=1)
    assert (ids(answer), answer["model_version"]) == (["tray"], None)


def test_a_stranger_on_the_home_page_gets_what_trends_and_then_what_is_popular(api):
    answer = ask(api, slot="home", n=4)
    assert answer["strategies"][0] == "trending"
    assert ids(answer)[0] == "biluochun"
    assert len(ids(answer)) == 4


def test_a_slot_pins_boosts_and_limits(api):
    settings = {
        "strategy": "new_arrivals", "n": 3,
        "pins": [{"item_id": "cup", "position": 2}, {"item_id": "scale", "position": 1}],
        "boosts": [{"where": 'brand = "Yun"', "factor": 10}],
        "quotas": [{"by": "category", "most": 1}],
    }  # fmt: skip
    assert api.put("/v1/slots/shelf", json=settings).status_code == 200
    answer = ask(api, slot="shelf")
    assert len(ids(answer)) == 3
    assert (ids(answer)[0], ids(answer)[1]) == ("puer", "cup"), (
        "the scale is sold out: a pin changes nothing about that"
    )
    assert answer["items"][1]["reason_text"]["zh"] == "店家推荐"


def test_a_shortfall_names_the_quota(api):
    api.put("/v1/slots/shelf", json={"strategy": "new_arrivals", "n": 5, "quotas": [{"by": "category", "most": 1}]})
    answer = ask(api, slot="shelf")
    assert answer["shortfall"]["reason"] == "too_few_within_quotas"


def test_an_article_is_spoken_of_as_one(api):
    article = {"item_id": "how-to-brew", "name": "How to brew", "kind": "content"}
    api.put("/v1/items", json={"items": [article]})
    answer = ask(api, strategy="new_arrivals", kinds=["content"], n=1)
    assert answer["items"][0]["reason_text"] == {"en": "Just published", "zh": "最新发布"}
    plain = ask(api, kinds=["content"], n=1)
    assert plain["items"][0]["reason_text"] == {"en": "Just published", "zh": "最新发布"}


def test_campaigns_ask_a_slot_for_many(api, shop):
    people = [str(shop.person(name)) for name in ("mei", "dark 0")]
    reply = api.post("/v1/recommendations/batch", json={"customer_ids": people, "slot": "email", "n": 2})
    assert reply.status_code == 200, reply.get_json()
    results = reply.get_json()["results"]
    assert all(len(items) == 2 for items in results.values())
    assert "longjing" not in [item["item_id"] for item in results[people[0]]]
    alone = ask(api, customer_id=people[0], slot="email", n=2)
    assert [item["item_id"] for item in results[people[0]]] == ids(alone)


def test_what_sells_only_elsewhere_is_not_shown_where_the_customer_is(api, shop, profile_tx):
    profile_tx.execute(
        """
        WITH seen AS (INSERT INTO customer_seen VALUES (%(id)s, now(), now()))
        INSERT INTO customer (customer_id, identified, country, traits, updated_at)
        VALUES (%(id)s, true, 'NZ', '{}', now())
        """,
        {"id": shop.person("mei")},
    )
    api.put("/v1/items", json={"items": [tea("tin", 9, "Ware", attributes={"country": ["NZ", "AU"]})]})
    where = "country = visitor.country"
    assert ids(ask(api, user_id="mei", where=where)) == ["tin"]
    assert ids(ask(api, user_id="mei", where=where, context={"country": "CN"})) == []
    assert ids(ask(api, where=where)) == []


def test_what_was_searched_for_comes_first(api):
    answer = ask(api, slot="search", context={"query": "LONGJING"}, n=2)
    assert ids(answer)[0] == "longjing"
    assert len(ids(answer)) == 2
