"""What the storefront is answered."""

import pytest

from services.recommend.actions import interactions, training


def ids(reply):
    assert reply.status_code == 200, reply.get_json()
    return [item["item_id"] for item in reply.get_json()["items"]]


@pytest.fixture
def api(recommend_api, shop, teas, as_recommend):
    """Four customers have bought; everything is read; a model is published and taken up."""
    shop.bought("mei", "longjing", "cup")
    shop.bought("wang", "longjing", "cup", "biluochun")
    shop.bought("li", "puer", "pot")
    shop.bought("chen", "puer", "pot", "longjing")
    shop.bought("zhao", "cup", "scale")
    as_recommend(interactions.read_events)
    assert recommend_api.post("/v1/models").status_code == 202
    assert as_recommend(training.train_if_due)
    return recommend_api


def test_a_customer_gets_what_they_have_not_bought_and_what_is_available(api, shop):
    reply = api.post("/v1/recommendations", json={"user_id": "mei", "n": 3})
    assert set(ids(reply)) == {"biluochun", "puer", "pot"}
    assert reply.get_json()["strategy"] == "for_you"
    assert ids(reply)[0] == "biluochun"
