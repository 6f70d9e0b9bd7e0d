"""From an answer to what came of it: impressions, clicks, purchases, variants, and what was explored."""

from datetime import timedelta
from math import log
from uuid import UUID

import pytest

from services.recommend.actions import interactions, served, shelf, upkeep
from services.recommend.domain.experiments import BEFORE
from services.recommend.domain.interactions import Kind
from services.recommend.store import experiments as store
from shared.ids import uuid7
from tests.integration.recommend.conftest import NOON, tea

HOME = "/v1/slots/home"
AB = {
    "variants": [
        {"name": "usual", "share": 0.5},
        {"name": "popular", "share": 0.5, "strategy": "popular", "overrides": {"n": 2}},
    ]
}


def ask(api, who, slot="home", kind="user_id", **more):
    reply = api.post("/v1/recommendations", json={kind: who, "slot": slot, **more})
    assert reply.status_code == 200, reply.get_json()
    return reply.get_json()


def shown(shop, who, answer, **more):
    items = [item["item_id"] for item in answer["items"]]
    told = {"recommendation_id": answer["recommendation_id"], "slot": answer["slot"], "items": items}
    return shop.happened("Recommendation Shown", who, told, **more)


def clicked(shop, who, answer, item, **more):
    told = {"recommendation_id": answer["recommendation_id"], "slot": answer["slot"], "item_id": item, "position": 0}
    return shop.happened("Recommendation Clicked", who, told, **more)


def report(api, **query):
    reply = api.get("/v1/recommendations/report", query_string=query)
    assert reply.status_code == 200, reply.get_json()
    return reply.get_json()


class TestReport:
    """What was shown, clicked and bought."""

    def test_the_way_of_an_item_from_being_shown_to_being_paid_for(self, api, shop, as_recommend):
        answer = ask(api, "green 0")
        shown(shop, "green 0", answer)
        shown(shop, "green 0", answer)  # scrolled back to
        clicked(shop, "green 0", answer, "biluochun")
        bought = {"product_id": "biluochun", "price": 36.5, "quantity": 2}
        other = {"product_id": "pot", "price": 120, "quantity": 1}
        order = {"order_id": "o1", "currency": "CNY", "products": [bought, other]}
        shop.happened("Order Completed", "green 0", order, at=NOON - timedelta(hours=2))
        as_recommend(interactions.read_events)
        (total,) = report(api, slot="home")["totals"]
        assert (total["strategy"], total["variant"]) == ("for_you", None)
        assert (total["impressions"], total["viewers"]) == (len(answer["items"]), 1)
        assert (total["clicks"], total["clickers"], total["orders"]) == (1, 1, 1)
        assert total["revenue"] == [{"currency": "CNY", "amount_minor": 7300}]
        assert total["click_through_rate"] == pytest.approx(1 / len(answer["items"]))

    def test_the_last_click_counts_and_none_outside_the_window(self, api, shop, as_recommend):
        home, product = ask(api, "green 0"), ask(api, "green 0", "product", context={"item_id": "longjing"})
        clicked(shop, "green 0", home, "pot", days_ago=9)
        clicked(shop, "green 0", product, "pot", days_ago=8.5)
        line = {"product_id": "pot", "price": 120, "currency": "CNY"}
        shop.happened("Order Completed", "green 0", {"order_id": "o2", "products": [line]}, days_ago=1)
        as_recommend(interactions.read_events)
        assert {row["slot"]: row["orders"] for row in report(api, window_days=8)["totals"]} == {"home": 0, "product": 1}
        assert {row["orders"] for row in report(api, window_days=7)["totals"]} == {0}

    def test_a_cancelled_order_earned_nothing(self, api, shop, as_recommend):
        answer = ask(api, "green 0")
        clicked(shop, "green 0", answer, "pot", days_ago=2)
        line = {"product_id": "pot", "price": 120, "currency": "CNY"}
        shop.happened("Order Completed", "green 0", {"order_id": "o3", "products": [line]}, days_ago=1)
        shop.happened("Order Cancelled", "green 0", {"order_id": "o3"}, days_ago=0.5)
        as_recommend(interactions.read_events)
        assert {row["orders"] for row in report(api)["totals"]} == {0}

    def test_what_was_given_back_is_taken_off(self, api, shop, as_recommend):
        """One order of 2 × 60 for the pot and 40 for the cup, both clicked on; each time something else comes back."""

        def line(item, price, quantity):
            return {"product_id": item, "price": price, "quantity": quantity}

        def order(number, **more):
            return {"order_id": f"order {number}", "currency": "CNY", **more}

        worth = {
            1: (None, 1, 160),
            2: (("Order Refunded", order(2, products=[line("pot", 60, 1)])), 1, 100),
            3: (("Order Refunded", order(3, products=[{"product_id": "pot", "quantity": -2}])), 1, 40),
            4: (("Order Refunded", order(4, total=15, products=[line("pot", 60, 1)])), 1, 145),
            5: (("Order Refunded", order(5, total=-40)), 1, 120),
            6: (("Order Refunded", {"order_id": "order 6"}), 0, 0),
            7: (("Order Cancelled", {"order_id": "order 7"}), 0, 0),
            8: (("Order Refunded", order(8, products=[line("pot", 60, 9), line("cup", 40, 1)])), 0, 0),
            9: (("Order Completed", order("9 back", products=[line("cup", 40, -1)])), 1, 120),
            10: (("Order Refunded", {"order_id": "order 10", "currency": "EUR", "total": 5}), 1, 160),
        }
        for number, (given_back, _, _) in worth.items():
            who = f"buyer {number}"
            answer = ask(api, "green 0")
            for item in ("pot", "cup"):
                clicked(shop, who, answer, item, days_ago=3)
            products = [line("pot", 60, 2), line("cup", 40, 1)]
            events = [("Order Completed", order(number, products=products)), given_back]
            for day, told in enumerate(events[:: -1 if number == 2 else 1]):  # a refund may come before its order
                if told is not None:
                    shop.happened(told[0], who, told[1], days_ago=(1 if number == 2 else 2 - day))
        as_recommend(interactions.read_events)
        total = report(api)["totals"][0]
        assert total["orders"] == sum(orders for _, orders, _ in worth.values())
        expected = 100 * sum(paid for _, _, paid in worth.values())
        assert total["revenue"] == [{"currency": "CNY", "amount_minor": expected}]

    def test_goods_and_money_given_back_are_not_taken_off_twice(self, api, shop, as_recommend):
        answer = ask(api, "green 0")
        clicked(shop, "green 0", answer, "pot", days_ago=3)
        products = [{"product_id": "pot", "price": 100}, {"product_id": "cup", "price": 100}]
        placed = {"order_id": "o5", "currency": "CNY", "revenue": 180, "products": products}
        shop.happened("Order Completed", "green 0", placed, days_ago=2)
        goods = {"order_id": "o5", "currency": "CNY", "products": [{"product_id": "cup", "price": 100}]}
        shop.happened("Order Refunded", "green 0", goods, days_ago=1)
        as_recommend(interactions.read_events)
        assert report(api)["totals"][0]["revenue"][0]["amount_minor"] == 10_000
        shop.happened("Order Refunded", "green 0", {"order_id": "o5", "currency": "CNY", "total": 40}, days_ago=1)
        as_recommend(interactions.read_events)
        assert report(api)["totals"][0]["revenue"][0]["amount_minor"] == 5_000  # 40 of the 80 that were left

    def test_what_a_visitor_saw_is_the_customers_once_they_are_one(self, api, shop, as_recommend):
        answer = ask(api, "visitor", kind="anonymous_id")
        clicked(shop, "visitor", answer, "pot", anonymous=True)
        as_recommend(interactions.read_events)
        shop.merged("visitor", into="green 1")
        line = {"product_id": "pot", "price": 120, "currency": "CNY"}
        order = {"order_id": "o4", "products": [line]}
        shop.happened("Order Completed", "green 1", order, at=NOON - timedelta(hours=1))
        as_recommend(interactions.read_events)
        assert report(api)["totals"][0]["orders"] == 1
        shop.split("visitor")
        as_recommend(interactions.read_events)
        assert report(api)["totals"][0]["orders"] == 0

    def test_an_id_that_is_not_ours_counts_for_the_slot_that_was_claimed_and_for_no_strategy(
        self,
        api,
        shop,
        as_recommend,
    ):
        answer = {"recommendation_id": str(uuid7()), "slot": "home", "items": [{"item_id": "pot"}]}
        shown(shop, "green 0", answer)
        shown(shop, "green 0", {**answer, "recommendation_id": "nonsense", "slot": "a" * 99})
        as_recommend(interactions.read_events)
        found = {(row["slot"], row["strategy"]): row["impressions"] for row in report(api)["totals"]}
        assert found == {("home", None): 1, (None, None): 1}

    def test_a_click_is_a_light_sign_of_interest_and_being_shown_is_none(
        self,
        api,
        shop,
        as_recommend,
        recommend_tx,
    ):
        answer = ask(api, "green 0")
        before = recommend_tx.value("SELECT count(*) FROM interaction")
        shown(shop, "green 0", answer)
        clicked(shop, "green 0", answer, "pot")
        as_recommend(interactions.read_events)
        rows = recommend_tx.all(
            "SELECT kind, recommendation_id FROM interaction ORDER BY position DESC LIMIT %(n)s",
            {"n": recommend_tx.value("SELECT count(*) FROM interaction") - before},
        )
        assert rows == [{"kind": int(Kind.CLICKED), "recommendation_id": UUID(answer["recommendation_id"])}]

    def test_days_that_are_none_are_refused(self, api):
        reply = api.get("/v1/recommendations/report?since=2026-05-02&until=2026-05-01")
        assert (reply.status_code, reply.get_json()["code"]) == (422, "bad_days")


class TestExperiments:
    """Who gets which variant."""

    def start(self, api):
        reply = api.post("/v1/slots/home/experiment", json=AB)
        assert reply.status_code == 201, reply.get_json()
        return reply.get_json()

    def test_people_get_their_variant_and_keep_it(self, api):
        assert ask(api, "green 0")["experiment"] is None
        experiment = self.start(api)
        found = {}
        for number in range(30):
            answer = ask(api, f"person {number}")
            assert answer["experiment"]["id"] == experiment["id"]
            found[number] = answer["experiment"]["variant"]
            assert (answer["strategy"] == "popular" and len(answer["items"]) == 2) or found[number] == "usual"
        assert set(found.values()) == {"usual", "popular"}
        assert [ask(api, f"person {number}")["experiment"]["variant"] for number in found] == list(found.values())
        assert ask(api, "green 0", "product")["experiment"] is None
        assert api.post("/v1/recommendations", json={"slot": "home"}).get_json()["experiment"] is None

    def test_a_visitor_keeps_the_variant_when_they_log_in(self, api, shop, as_recommend):
        self.start(api)
        moved = 0
        for number in range(12):
            browser, user = f"browser {number}", f"user {number}"
            before = ask(api, browser, kind="anonymous_id")
            moved += before["experiment"]["variant"] != ask(api, user)["experiment"]["variant"]
            shown(shop, browser, before, anonymous=True)
            shop.happened("Signed In", user, {})
            shop.merged(user, into=browser)
            as_recommend(interactions.read_events)
            customer = str(shop.people[browser])
            for kind, who in (("user_id", user), ("anonymous_id", browser), ("customer_id", customer)):
                assert ask(api, who, kind=kind)["experiment"] == before["experiment"]
        assert moved  # by the hash alone some would have changed

    def test_a_batch_gives_everybody_the_variant_they_have_alone(self, api, shop, as_recommend):
        experiment = self.start(api)
        people = {str(shop.person(f"user {number}")): f"user {number}" for number in range(20)}
        seen, alone = {}, {}
        for id_, name in list(people.items())[:8]:  # these are known by another id, under which they fall otherwise
            answer = ask(api, name)
            shown(shop, name, answer)
            seen[id_] = answer["experiment"]["variant"]
        as_recommend(interactions.read_events)
        batch = api.post("/v1/recommendations/batch", json={"customer_ids": list(people), "slot": "home"}).get_json()
        for id_ in people:
            alone[id_] = ask(api, id_, kind="customer_id")
            assert batch["experiments"][id_] == alone[id_]["experiment"]
            assert [one["item_id"] for one in batch["results"][id_]] == [one["item_id"] for one in alone[id_]["items"]]
        assert {one["id"] for one in batch["experiments"].values()} == {experiment["id"]}
        assert {one["variant"] for one in batch["experiments"].values()} == {"usual", "popular"}
        assert {id_: batch["experiments"][id_]["variant"] for id_ in seen} == seen
        assert len(set(batch["recommendation_ids"].values())) == len(people)

    def test_what_was_shown_of_a_batch_counts_for_the_variant(self, api, shop, as_recommend):
        self.start(api)
        people = {str(shop.person(f"user {number}")): f"user {number}" for number in range(12)}
        batch = api.post("/v1/recommendations/batch", json={"customer_ids": list(people), "slot": "home"}).get_json()
        counts = {"usual": 0, "popular": 0}
        for id_, name in people.items():
            counts[batch["experiments"][id_]["variant"]] += 1
            told = {
                "recommendation_id": batch["recommendation_ids"][id_],
                "items": batch["results"][id_],
                "slot": "home",
            }
            shown(shop, name, told)
        as_recommend(interactions.read_events)
        found = api.get("/v1/slots/home/experiment").get_json()["variants"]
        assert {one["name"]: one["people"] for one in found} == counts

    def test_a_batch_is_answered_also_when_the_shops_settings_are_read_anew_for_it(self, api, shop, monkeypatch):
        monkeypatch.setattr("shared.shop._CACHE_S", -1.0)
        asked = {"customer_ids": [str(shop.person("green 0"))], "slot": "home"}
        assert api.post("/v1/recommendations/batch", json=asked).status_code == 200

    def test_a_batch_explores_also_when_what_is_seldom_shown_was_never_counted(self, api, shop):
        slot = api.get("/v1/slots/home").get_json()
        kept = {name: value for name, value in slot.items() if name not in ("name", "version", "updated_at")}
        assert api.put("/v1/slots/home", json={**kept, "explore_share": 0.2}).status_code == 200
        served.forget()
        asked = {"customer_ids": [str(shop.person("green 0"))], "slot": "home"}
        assert api.post("/v1/recommendations/batch", json=asked).status_code == 200

    def test_a_batch_without_a_slot_or_experiment_has_no_variants(self, api, shop):
        asked = {"customer_ids": [str(shop.person("green 0"))]}
        assert api.post("/v1/recommendations/batch", json=asked).get_json()["experiments"] == {}
        of_slot = api.post("/v1/recommendations/batch", json={**asked, "slot": "home"}).get_json()
        assert (of_slot["experiments"], len(of_slot["recommendation_ids"])) == ({}, 1)

    def test_what_came_of_it_is_read_by_variant(self, api, shop, as_recommend):
        experiment = self.start(api)
        counts = {"usual": 0, "popular": 0}
        for number in range(20):
            who = f"person {number}"
            answer = ask(api, who)
            counts[answer["experiment"]["variant"]] += 1
            shown(shop, who, answer)
            if answer["experiment"]["variant"] == "popular":
                clicked(shop, who, answer, answer["items"][0]["item_id"])
                line = {"product_id": "pot", "price": 10, "currency": "CNY"}
                order = {"order_id": who, "products": [line]}
                shop.happened("Order Completed", who, order, at=NOON - timedelta(hours=1))
        as_recommend(interactions.read_events)
        found = api.get("/v1/slots/home/experiment?goal=orders").get_json()
        assert (found["id"], found["verdict"], found["why"]) == (experiment["id"], "no_difference_yet", "too_early")
        usual, popular = found["variants"]
        assert (usual["people"], popular["people"]) == (counts["usual"], counts["popular"])
        assert (popular["clickers"], popular["buyers"]) == (counts["popular"], counts["popular"])
        assert popular["revenue_minor"] == 1000 * counts["popular"]
        assert (usual["clickers"], usual["buyers"]) == (0, 0)
        assert popular["impressions"] == 2 * counts["popular"]

    def test_revenue_is_net_and_the_weeks_before_are_known(self, api, shop, as_recommend, recommend_tx):
        experiment = self.start(api)
        line = {"product_id": "pot", "price": 10, "quantity": 4, "currency": "CNY"}
        for number in range(6):
            who = f"person {number}"
            shop.happened("Order Completed", who, {"order_id": f"old {who}", "products": [line]}, days_ago=20)
            shop.happened("Product Viewed", who, {"product_id": "cup"}, days_ago=40)
            shown(shop, who, ask(api, who), days_ago=2)
            shop.happened("Order Completed", who, {"order_id": who, "products": [line]}, days_ago=1)
            back = {"order_id": who, "products": [{"product_id": "pot", "quantity": 1 if number else 4}]}
            shop.happened("Order Refunded", who, back, days_ago=0.5)
        shop.happened("Order Refunded", "person 1", {"order_id": "old person 1"}, days_ago=1)
        as_recommend(interactions.read_events)
        found = api.get("/v1/slots/home/experiment?goal=revenue").get_json()
        assert sum(one["revenue_minor"] for one in found["variants"]) == 5 * 3_000
        assert sum(one["buyers"] for one in found["variants"]) == 5
        assert found["cuped"] == {
            "judged_by": False,
            "known": 6,
            "variance_saved": {"clicks": 0, "orders": 0, "revenue": 0},
        }
        arms = store.arms(recommend_tx, experiment["id"], store.Span(NOON, BEFORE), "CNY")
        sums = {name: sum(row[name] for row in arms) for name in arms[0] if name != "variant"}
        # looks of 40 days ago are too old; what was paid before counts whole, though some of it came back later
        assert (sums["clicks_before"], sums["orders_before"]) == (0, pytest.approx(6 * log(2)))
        assert sums["orders_products"] == pytest.approx(5 * log(2))
        assert (sums["revenue_before"], sums["revenue_before_squares"]) == (6 * 4_000, 6 * 4_000**2)
        assert sums["revenue_products"] == 5 * 4_000 * 3_000

    def test_the_best_variant_becomes_the_slot_for_everybody(self, api):
        experiment = self.start(api)
        assert api.post("/v1/slots/home/experiment", json=AB).get_json()["code"] == "experiment_runs"
        assert api.post(f"{HOME}/experiment/apply", json={"variant": "none"}).status_code == 404
        ended = api.post(f"{HOME}/experiment/apply", json={"variant": "popular"}).get_json()
        assert (ended["id"], ended["applied"]) == (experiment["id"], "popular")
        answer = ask(api, "green 0")
        assert (answer["strategy"], len(answer["items"]), answer["experiment"]) == ("popular", 2, None)
        assert api.get("/v1/slots/home").get_json()["strategy"] == "popular"
        assert api.post(f"{HOME}/experiment/stop").status_code == 404
        assert [one["id"] for one in api.get("/v1/slots/home/experiments").get_json()["items"]] == [experiment["id"]]

    def test_stopping_leaves_the_slot_as_it_was(self, api):
        before = api.get("/v1/slots/home").get_json()
        self.start(api)
        assert api.post(f"{HOME}/experiment/stop").get_json()["ended_at"] is not None
        after = api.get("/v1/slots/home").get_json()
        assert {**after, "version": 0, "updated_at": 0} == {**before, "version": 0, "updated_at": 0}

    def test_it_begins_and_ends_with_the_very_next_answer(self, api, monkeypatch):
        monkeypatch.setattr(shelf, "LOOK_EVERY_S", 3600.0)
        assert ask(api, "green 0")["experiment"] is None
        assert api.post(f"{HOME}/experiment", json=AB).status_code < 300
        assert ask(api, "green 0")["experiment"] is not None
        assert api.post(f"{HOME}/experiment/stop").status_code < 300
        assert ask(api, "green 0")["experiment"] is None

    def test_shares_that_are_no_whole_and_unknown_slots_are_refused(self, api):
        bad = {"variants": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.4}]}
        assert api.post("/v1/slots/home/experiment", json=bad).get_json()["code"] == "bad_slot"
        assert api.post("/v1/slots/nowhere/experiment", json=AB).status_code == 404
        assert api.get("/v1/slots/home/experiment").status_code == 404

    def test_an_experiment_set_with_the_slot_itself_is_entered_too(self, api):
        slot = api.get("/v1/slots/home").get_json()
        plain = {name: value for name, value in slot.items() if name not in ("name", "version", "updated_at")}
        experiment = {"id": "spring", "salt": "s", **AB, "started_at": NOON.isoformat()}
        assert api.put("/v1/slots/home", json={**plain, "experiment": experiment}).status_code == 200
        assert api.get("/v1/slots/home/experiment").get_json()["id"] == "spring"
        assert api.put("/v1/slots/home", json=plain).status_code == 200
        assert api.get("/v1/slots/home/experiments").get_json()["items"][0]["ended_at"] is not None


class TestMixing:
    """Places for what is promoted, and for what hardly anybody has seen."""

    @pytest.fixture
    def many(self, api):
        more = [tea(f"tea-{number}", 10 + number, "Tea > Green", brand=f"b{number % 4}") for number in range(40)]
        assert api.put("/v1/items", json={"items": more}).status_code == 200
        return api

    def test_promoted_items_get_their_share_and_say_so(self, many):
        promotions = [{"name": "Spring", "share": 0.25, "items": ["tea-7", "tea-8", "tea-9", "scale"]}]
        answer = ask(many, "green 0", n=8, promotions=promotions)
        found = {item["item_id"] for item in answer["items"] if item.get("promoted") == "Spring"}
        assert len(found) == 2
        assert found < {"tea-7", "tea-8", "tea-9"}
        assert len(answer["items"]) == 8
        where = [{"name": "Dark", "share": 0.5, "where": 'category = "Dark"'}]
        answer = ask(many, "green 0", n=4, promotions=where, filter={"category": "Green"})
        assert [item for item in answer["items"] if "promoted" in item] == []  # the filter goes before

    @pytest.mark.parametrize(
        "promotions",
        [
            [{"name": "a", "share": 0.6, "items": ["pot"]}, {"name": "b", "share": 0.6, "items": ["cup"]}],
            [{"name": "a", "share": 0.5}],
            [{"name": "a", "share": 0.5, "items": ["pot"], "where": "stock > 0"}],
            [{"name": "a", "share": 0.5, "where": "stock >"}],
        ],
    )
    def test_promotions_that_cannot_be_are_refused(self, many, promotions):
        assert many.post("/v1/recommendations", json={"promotions": promotions}).status_code == 422

    def test_a_slot_promotes_and_a_request_promotes_otherwise(self, many, shop):
        slot = many.get("/v1/slots/home").get_json()
        plain = {name: value for name, value in slot.items() if name not in ("name", "version", "updated_at")}
        assert plain["promotions"] == []
        ware = [{"name": "ware", "share": 0.5, "where": 'category in ("Ware")'}]
        saved = many.put("/v1/slots/home", json={**plain, "promotions": ware})
        assert saved.status_code == 200, saved.get_json()
        assert saved.get_json()["promotions"] == [{**ware[0], "items": None}]
        found = [one["item_id"] for one in ask(many, "green 0", n=4)["items"] if one.get("promoted") == "ware"]
        assert found
        own = [{"name": "own", "share": 0.25, "items": ["puer"]}]
        answer = ask(many, "green 0", n=4, promotions=own)
        assert {one.get("promoted") for one in answer["items"]} == {None, "own"}
        person = str(shop.person("green 0"))
        batch = many.post("/v1/recommendations/batch", json={"customer_ids": [person], "slot": "home", "n": 4})
        assert [one["item_id"] for one in batch.get_json()["results"][person] if one.get("promoted")] == found
        two = {"variants": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5, "overrides": {"promotions": []}}]}
        assert many.post("/v1/slots/home/experiment", json=two).status_code == 201

    @pytest.mark.parametrize(
        "promotion",
        [{"share": 0.5, "items": ["pot"], "where": "stock > 0"}, {"share": 0.5}, {"share": 0.5, "where": "stock >"}],
    )
    def test_promotions_of_a_slot_that_cannot_be_are_refused(self, many, promotion):
        slot = {"strategy": "for_you", "promotions": [{"name": "a", **promotion}]}
        reply = many.put("/v1/slots/shelf", json=slot)
        assert reply.status_code == 422
        assert reply.get_json()["errors"][0]["path"].startswith("promotions[0]")

    def test_what_hardly_anybody_has_seen_is_shown_with_a_known_probability(
        self, many, recommend_tx, shop, as_recommend
    ):
        slot = many.get("/v1/slots/home").get_json()
        plain = {name: value for name, value in slot.items() if name not in ("name", "version", "updated_at")}
        assert many.put("/v1/slots/home", json={**plain, "explore_share": 0.2}).status_code == 200
        asked = {"n": 10, "filter": {"category": "Green"}}
        for _ in range(5):
            answer = ask(many, "green 0", **asked)
            explored = {item["item_id"]: item["propensity"] for item in answer["items"] if item.get("explored")}
            assert len(explored) == 2
            assert len({item["item_id"] for item in answer["items"]}) == 10
            rows = recommend_tx.all(
                """
                SELECT item_id, propensity FROM explored JOIN item USING (item_key)
                WHERE recommendation_id = %(id)s
                """,
                {"id": UUID(answer["recommendation_id"])},
            )
            assert {row["item_id"]: pytest.approx(row["propensity"]) for row in rows} == explored
            # 41 green teas but longjing may be shown; ten are shown by score, and two in 31 are drawn
            assert list(explored.values()) == pytest.approx([2 / 31, 2 / 31])
        assert recommend_tx.value("SELECT DISTINCT pool FROM explored") == 31
        shown(shop, "green 0", answer)
        as_recommend(interactions.read_events)
        assert recommend_tx.value("SELECT sum(shown) FROM item_shown") == 10
        as_recommend(upkeep.run, NOON + timedelta(days=400))
        assert recommend_tx.value("SELECT count(*) FROM impression") == 0
        assert recommend_tx.value("SELECT count(*) FROM item_shown") == 0
