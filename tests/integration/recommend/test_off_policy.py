"""What a slot would have earned with another strategy: from answers as they were given, clicks as they were logged."""

from datetime import timedelta

import pytest

from services.recommend.actions import interactions, training
from services.recommend.artifacts import models as artifacts
from services.recommend.domain.experiments import bucket
from tests.integration.recommend.conftest import NOON, tea
from tests.integration.recommend.test_experiments import ask, clicked, shown
from tests.integration.recommend.test_models import take_up

NEWEST = "/v1/slots/home/off-policy?strategy=new_arrivals"


def likes(item_id):
    """How likely this item is clicked: the newer the likelier."""
    return 0.6 if item_id.startswith("tea-") and int(item_id[4:]) < 6 else 0.1


@pytest.fixture
def exploring(api):
    """Twenty teas to come, which nobody has bought, the first the newest; one place of five in `home` is by lot."""
    spring = NOON + timedelta(days=365)
    more = [
        tea(f"tea-{number}", 10, "Tea > Green", published_at=(spring - timedelta(days=number)).isoformat())
        for number in range(20)
    ]
    assert api.put("/v1/items", json={"items": more}).status_code == 200
    slot = api.get("/v1/slots/home").get_json()
    plain = {name: value for name, value in slot.items() if name not in ("name", "version", "updated_at")}
    put = {**plain, "n": 5, "explore_share": 0.2, "diversity": 0, "fallbacks": ["popular"]}
    assert api.put("/v1/slots/home", json=put).status_code == 200
    return api


def looked(api, shop, people, times):
    """People look at the slot and click, by lots that are the same each time."""
    for number in range(people * times):
        who = f"person {number % people}"
        answer = ask(api, who)
        shown(shop, who, answer)
        for item in answer["items"]:
            if bucket(str(number), item["item_id"]) < likes(item["item_id"]):
                clicked(shop, who, answer, item["item_id"])


def off_policy(api, path=NEWEST):
    reply = api.get(path)
    assert reply.status_code == 200, reply.get_json()
    return reply.get_json()


def test_what_the_newest_items_would_have_earned_is_told_without_showing_them(exploring, shop, as_recommend):
    looked(exploring, shop, 60, 6)
    as_recommend(interactions.read_events)
    newest = exploring.post("/v1/recommendations", json={"strategy": "new_arrivals", "n": 5}).get_json()["items"]
    truth = sum(likes(item["item_id"]) for item in newest)
    assert truth == pytest.approx(3)
    found = off_policy(exploring)
    assert (found["answers"], found["people"], found["left_out"]) == (360, 60, 0)
    assert (found["can_say"], found["why"]) == (True, None)
    estimates = found["estimates"]
    told = estimates["snips"]
    assert abs(told["value"] - truth) < told["high"] - told["low"]  # four standard errors: draws differ each time
    assert told["high"] - told["low"] < truth
    assert estimates["logged"]["value"] < 1 < estimates["gain"]["value"]
    assert found["diagnostics"]["support"] == pytest.approx(1, abs=0.5)
    assert found["diagnostics"]["effective_drawn"] >= 50
    clipped = off_policy(exploring, f"{NEWEST}&clip=5")["diagnostics"]
    assert (clipped["clip"], clipped["clipped"] > 0.5) == (5, True)


def test_orders_and_revenue_are_those_of_clicked_items_net_of_what_was_given_back(exploring, shop, as_recommend):
    answer = ask(exploring, "green 0")
    shown(shop, "green 0", answer)
    clicked(shop, "green 0", answer, answer["items"][0]["item_id"])
    line = {"product_id": answer["items"][0]["item_id"], "price": 10, "quantity": 2}
    order = {"order_id": "o1", "currency": "CNY", "products": [line]}
    shop.happened("Order Completed", "green 0", order, days_ago=0.5)
    shop.happened("Order Refunded", "green 0", {**order, "products": [{**line, "quantity": 1}]}, days_ago=0.4)
    as_recommend(interactions.read_events)
    from services.recommend.actions.off_policy import _read

    asked = {"since": None, "until": None, "window_days": 7, "goal": "revenue"}
    _, currency, (one,), earned, _ = as_recommend(_read, "home", asked)
    assert (currency, [*earned[one.recommendation_id].values()]) == ("CNY", [1_000])
    assert off_policy(exploring, f"{NEWEST}&goal=orders")["estimates"] is None


def test_an_answer_is_asked_once_more_of_the_model_that_gave_it_and_only_with_what_was_known_then(
    exploring, shop, as_recommend
):
    personal = "/v1/slots/home/off-policy?strategy=for_you"
    looked(exploring, shop, 1, 3)
    as_recommend(interactions.read_events)
    before = off_policy(exploring, personal)
    assert (before["answers"], before["left_out"]) == (3, 0)
    shop.bought("person 0", "longjing", "puer", "cup", days_ago=0.5)  # and so is not shown them any more
    as_recommend(interactions.read_events)
    assert off_policy(exploring, personal)["diagnostics"] == before["diagnostics"]
    assert exploring.post("/v1/models").status_code == 202
    assert as_recommend(training.train_if_due)
    newest = exploring.get("/v1/models").get_json()["items"][0]["version"]
    assert take_up(exploring) == newest
    artifacts.sweep(keep={newest})
    found = off_policy(exploring, personal)
    assert (found["answers"], found["left_out"], found["why"]) == (0, 3, "nothing_explored")


def test_a_slot_that_never_explored_can_say_nothing(api):
    found = off_policy(api)
    assert (found["can_say"], found["why"], found["estimates"], found["diagnostics"]) == (
        False,
        "nothing_explored",
        None,
        None,
    )
    assert api.get("/v1/slots/nowhere/off-policy?strategy=popular").status_code == 404
    assert api.get("/v1/slots/home/off-policy?strategy=similar").status_code == 422  # what was looked at is not kept
    assert api.get(f"{NEWEST}&since=2026-05-02&until=2026-05-01").get_json()["code"] == "bad_days"
