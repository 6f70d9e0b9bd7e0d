"""What the storefront is answered."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine

from services.recommend.actions import interactions, shelf, training
from shared.ids import uuid7
from tests.integration.recommend.conftest import tea


def ids(reply):
    assert reply.status_code == 200, reply.get_json()
    return [item["item_id"] for item in reply.get_json()["items"]]


def test_a_customer_gets_what_their_like_buy_and_they_have_not(api):
    reply = api.post("/v1/recommendations", json={"user_id": "green 0", "n": 3})
    assert ids(reply)[0] == "biluochun"
    assert set(ids(reply)) == {"biluochun", "puer", "pot"}
    body = reply.get_json()
    assert (body["strategy"], body["personal"], body["shortfall"]) == ("for_you", True, None)
    assert UUID(body["recommendation_id"]).version == 7
    assert body["model_version"]
    assert body["items"][0] == {
        "item_id": "biluochun", "kind": "product", "name": "Biluochun", "price_minor": 3600, "currency": "CNY",
        "url": None, "image_url": None, "score": body["items"][0]["score"], "reason": "for_you",
        "reason_text": {"en": "Picked for you", "zh": "为你推荐"},
    }  # fmt: skip


def test_what_is_sold_out_never_appears_and_a_shortfall_is_explained(api):
    reply = api.post("/v1/recommendations", json={"user_id": "dark 0", "n": 10})
    assert set(ids(reply)) == {"longjing", "biluochun", "cup", "pot"}
    assert reply.get_json()["shortfall"] == {
        "reason": "catalogue_too_small", "requested": 10, "returned": 4, "in_catalogue": 6, "on_sale": 5,
        "match_filter": 5, "in_price_band": 5, "not_excluded": 4, "proposed": 4,
    }  # fmt: skip


def test_availability_counts_at_once(api, monkeypatch):
    monkeypatch.setattr(shelf, "LOOK_EVERY_S", 3600.0)
    assert "pot" in ids(api.post("/v1/recommendations", json={"user_id": "dark 0"}))
    api.put("/v1/items", json={"items": [tea("pot", 120, "Ware", stock=0), tea("scale", 60, "Ware")]})
    found = ids(api.post("/v1/recommendations", json={"user_id": "dark 0"}))
    assert "pot" not in found
    assert "scale" in found
    api.patch("/v1/items/scale", json={"available": False})
    assert "scale" not in ids(api.post("/v1/recommendations", json={"user_id": "dark 0"}))


def test_an_order_just_read_counts_in_the_next_answer(api, shop, as_recommend):
    asked = {"user_id": "green 0", "n": 1}
    assert ids(api.post("/v1/recommendations", json=asked)) == ["biluochun"]
    shop.bought("green 0", "biluochun")
    as_recommend(interactions.read_events)
    assert ids(api.post("/v1/recommendations", json=asked)) != ["biluochun"]


def test_where_repeats_are_wanted_what_was_bought_comes_first(api):
    reply = api.post("/v1/recommendations", json={"user_id": "dark 1", "n": 2, "exclude_seen": False})
    assert set(ids(reply)) == {"puer", "pot"}
    assert reply.get_json()["items"][0]["reason"] == "buy_again"


def test_a_newcomer_gets_what_is_popular(api):
    reply = api.post("/v1/recommendations", json={"user_id": "never seen", "n": 2})
    assert reply.get_json()["strategy"] == "popular"
    assert "longjing" in ids(reply)
    assert ids(api.post("/v1/recommendations", json={"n": 2})) == ids(reply)


def test_a_newcomer_gets_what_is_popular_where_they_are(recommend_api, shop, teas, as_recommend, profile_tx):
    for number in range(60):
        shop.bought(f"here {number}", "longjing")
        shop.bought(f"there {number}", "cup")
    for name, person in [*shop.people.items(), ("new", shop.person("there, new"))]:
        profile_tx.execute(
            """
            WITH seen AS (INSERT INTO customer_seen VALUES (%(id)s, now(), now()))
            INSERT INTO customer (customer_id, identified, country, traits, updated_at)
            VALUES (%(id)s, true, %(country)s, '{}', now())
            """,
            {"id": person, "country": "CN" if name.startswith("here") else "nz"},
        )
    shop.happened("Signed Up", "there, new", {})
    as_recommend(interactions.read_events)
    recommend_api.post("/v1/models")
    as_recommend(training.train_if_due)

    def first(**asked):
        return ids(recommend_api.post("/v1/recommendations", json={"n": 1, **asked}))

    assert first(context={"country": "CN"}) == ["longjing"]
    assert first(context={"country": "NZ"}) == ["cup"]
    assert first(user_id="there, new") == ["cup"]
    new = str(shop.people["there, new"])
    batch = recommend_api.post("/v1/recommendations/batch", json={"customer_ids": [new], "n": 1}).get_json()
    assert [item["item_id"] for item in batch["results"][new]] == ["cup"]


def test_a_visitors_session_counts(api):
    reply = api.post("/v1/recommendations", json={"anonymous_id": "visitor", "n": 2})
    assert reply.get_json()["strategy"] == "for_you"
    assert "pot" in ids(reply)


def test_the_cart_of_a_stranger_decides_and_is_not_shown_again(api):
    reply = api.post("/v1/recommendations", json={"context": {"cart": ["puer"]}, "n": 1})
    assert (ids(reply), reply.get_json()["strategy"]) == (["pot"], "session")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"category": "Tea"}, {"longjing", "biluochun", "puer"}),
        ({"category": {"in": ["Green", "Dark"]}}, {"longjing", "biluochun", "puer"}),
        ({"category": {"eq": "Tea > Dark"}}, {"puer"}),
        ({"brand": {"in": ["Hill"]}, "price_minor": {"lte": 3000}}, {"longjing"}),
        ({"price_minor": {"gte": 5000}, "currency": "CNY"}, {"puer", "pot"}),
        ({"price_minor": {"gte": 5000}, "currency": "USD"}, set()),
        ({"attributes": {"colour": {"in": ["blue", "red"]}}}, {"cup", "pot"}),
        ({"attributes": {"litres": 1.2}}, {"pot"}),
    ],
)
def test_a_filter_is_kept_to_the_letter(api, wanted, found):
    reply = api.post("/v1/recommendations", json={"n": 10, "filter": wanted})
    assert set(ids(reply)) == found


def test_what_is_excluded_is_not_shown(api):
    assert set(ids(api.post("/v1/recommendations", json={"exclude": ["longjing", "cup", "unknown"]}))) == {
        "biluochun", "puer", "pot",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"n": 0}, "n"),
        ({"n": 101}, "n"),
        ({"filters": {}}, ""),
        ({"filter": {"colour": "red"}}, "filter"),
        ({"filter": {"price_minor": {"gt": 5}}}, "filter.price_minor"),
        ({"customer_id": "mei"}, "customer_id"),
        ({"user_id": "a", "anonymous_id": "b"}, "user_id"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_and_never_ignored(api, body, path):
    reply = api.post("/v1/recommendations", json=body)
    assert reply.status_code == 422
    assert reply.get_json()["errors"][0]["path"] == path


def test_a_price_range_upside_down_is_refused(api):
    reply = api.post("/v1/recommendations", json={"filter": {"price_minor": {"gte": 5, "lte": 4}}})
    assert (reply.status_code, reply.get_json()["code"]) == (422, "bad_filter")


def test_a_customer_who_was_merged_away_is_still_found_by_the_old_id(api, shop, as_recommend):
    old = shop.people["green 0"]
    shop.merged("green 0", into="dark 0")
    as_recommend(interactions.read_events)
    by_old = api.post("/v1/recommendations", json={"customer_id": str(old), "n": 9})
    assert set(ids(by_old)) == {"biluochun", "pot"}
    assert ids(api.post("/v1/recommendations", json={"user_id": "dark 0", "n": 9})) == ids(by_old)


class TestStorefrontKeys:
    """A storefront key is public: anybody can read it from the page."""

    def test_without_a_signature_a_customers_history_stays_closed(self, api, shop):
        storefront = api.as_key("storefront")
        for who in ({"user_id": "green 0"}, {"customer_id": str(shop.people["green 0"])}):
            reply = storefront.post("/v1/recommendations", json={**who, "n": 3})
            assert (reply.get_json()["personal"], reply.get_json()["strategy"]) == (False, "popular")
            assert ids(reply) == ids(storefront.post("/v1/recommendations", json={"n": 3}))

    def test_with_the_shops_signature_the_answer_is_personal(self, api, shop):
        for who in ({"user_id": "green 0"}, {"customer_id": str(shop.people["green 0"])}):
            signed = api.as_key("server").post("/v1/recommendations/signatures", json=who).get_json()
            reply = api.as_key("storefront").post("/v1/recommendations", json={**who, **signed, "n": 1})
            assert (ids(reply), reply.get_json()["personal"]) == (["biluochun"], True)

    def test_a_signature_over_another_id_is_refused(self, api):
        signed = api.post("/v1/recommendations/signatures", json={"user_id": "green 1"}).get_json()
        reply = api.as_key("storefront").post("/v1/recommendations", json={"user_id": "green 0", **signed})
        assert (reply.status_code, reply.get_json()["code"]) == (403, "bad_signature")

    def test_a_signature_ends_when_the_shop_said(self, api):
        asked = {"user_id": "green 0", "expires_in": 600}
        signed = api.post("/v1/recommendations/signatures", json=asked).get_json()
        asked = {"user_id": "green 0", **signed, "n": 1}
        with time_machine.travel(datetime.now(UTC) + timedelta(seconds=590)):
            assert api.as_key("storefront").post("/v1/recommendations", json=asked).get_json()["personal"]
        with time_machine.travel(datetime.now(UTC) + timedelta(seconds=610)):
            reply = api.as_key("storefront").post("/v1/recommendations", json=asked)
        assert (reply.status_code, reply.get_json()["code"]) == (403, "signature_expired")

    def test_the_end_of_a_signature_cannot_be_moved(self, api):
        signed = api.post("/v1/recommendations/signatures", json={"user_id": "green 0"}).get_json()["signature"]
        ends, _, code = signed.partition(".")
        for forged in (f"{int(ends) + 1}.{code}", code, f"0{ends}.{code}", f"-1.{code}", f"①.{code}", "."):
            asked = {"user_id": "green 0", "signature": forged}
            reply = api.as_key("storefront").post("/v1/recommendations", json=asked)
            assert (reply.status_code, reply.get_json()["code"]) == (403, "bad_signature")

    def test_a_shop_that_asks_for_it_gets_a_signature_without_an_end(self, api):
        asked = {"user_id": "green 0", "expires_in": None}
        signed = api.post("/v1/recommendations/signatures", json=asked).get_json()
        with time_machine.travel(datetime.now(UTC) + timedelta(days=3000)):
            reply = api.as_key("storefront").post("/v1/recommendations", json={"user_id": "green 0", **signed})
        assert reply.get_json()["personal"]

    def test_an_anonymous_id_opens_its_own_session_and_not_the_customers_history(self, api, shop, as_recommend):
        shop.merged("visitor", into="green 1")
        as_recommend(interactions.read_events)
        shown = ids(api.as_key("storefront").post("/v1/recommendations", json={"anonymous_id": "visitor", "n": 9}))
        assert "longjing" in shown  # though green 1 has bought it
        assert "longjing" not in ids(api.post("/v1/recommendations", json={"anonymous_id": "visitor", "n": 9}))

    def test_it_may_not_ask_for_many_customers_nor_for_signatures(self, api):
        storefront = api.as_key("storefront")
        assert storefront.post("/v1/recommendations/batch", json={"customer_ids": [str(uuid7())]}).status_code == 403
        assert storefront.post("/v1/recommendations/signatures", json={"user_id": "green 0"}).status_code == 403


class TestBatch:
    """Many customers at once, for campaigns."""

    def test_everybody_gets_what_they_would_get_alone(self, api, shop):
        people = [str(shop.people[name]) for name in ("green 0", "dark 0", "green 3")]
        stranger = str(uuid7())
        # Without the cup, which the same people take as Longjing: two that nothing tells apart may come either way.
        asked = {"n": 2, "exclude": ["cup"]}
        reply = api.post("/v1/recommendations/batch", json={"customer_ids": [*people, stranger], **asked})
        assert reply.status_code == 200
        results = reply.get_json()["results"]
        assert list(results) == [*people, stranger]
        for one in results:
            alone = api.post("/v1/recommendations", json={"customer_id": one, **asked})
            assert [item["item_id"] for item in results[one]] == ids(alone)
            assert [item["reason"] for item in results[one]] == [i["reason"] for i in alone.get_json()["items"]]
        assert reply.get_json()["shortfalls"] == {}

    def test_a_shortfall_is_stated_for_each(self, api, shop):
        mei = str(shop.people["green 1"])
        reply = api.post(
            "/v1/recommendations/batch", json={"customer_ids": [mei], "n": 5, "filter": {"category": "Tea"}}
        )
        assert [item["item_id"] for item in reply.get_json()["results"][mei]] == ["puer"]
        assert reply.get_json()["shortfalls"][mei]["reason"] == "too_few_match_filter"

    def test_the_old_id_of_a_merged_customer_is_answered(self, api, shop, as_recommend):
        old = str(shop.people["green 0"])
        shop.merged("green 0", into="dark 0")
        as_recommend(interactions.read_events)
        reply = api.post("/v1/recommendations/batch", json={"customer_ids": [old], "n": 9})
        assert {item["item_id"] for item in reply.get_json()["results"][old]} == {"biluochun", "pot"}

    def test_more_than_a_thousand_customers_are_refused(self, api):
        people = [str(uuid7()) for _ in range(1_001)]
        assert api.post("/v1/recommendations/batch", json={"customer_ids": people}).status_code == 422


def test_similar_items_are_of_the_same_circle_and_on_sale(api):
    reply = api.get("/v1/items/puer/similar?n=1")
    assert (ids(reply), reply.get_json()["strategy"]) == (["pot"], "similar")
    assert "scale" not in ids(api.get("/v1/items/cup/similar?n=50"))
    assert api.get("/v1/items/unknown/similar").status_code == 404


def test_before_the_first_model_there_is_an_answer_too(recommend_api, teas):
    reply = recommend_api.post("/v1/recommendations", json={"n": 5})
    assert (reply.get_json()["strategy"], reply.get_json()["model_version"]) == ("new_arrivals", None)
    assert len(ids(reply)) == 5


def test_an_empty_catalogue_is_a_shortfall_and_not_an_error(recommend_api):
    reply = recommend_api.post("/v1/recommendations", json={"n": 5})
    assert (ids(reply), reply.get_json()["shortfall"]["reason"]) == ([], "catalogue_too_small")
