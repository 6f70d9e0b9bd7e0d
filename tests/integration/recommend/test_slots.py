"""What people set of a slot, and what comes of it."""

import pytest

from services.recommend.actions import shelf
from tests.integration.recommend.conftest import tea


def ids(reply):
    assert reply.status_code == 200, reply.get_json()
    return [item["item_id"] for item in reply.get_json()["items"]]


def ask(api, **asked):
    return api.post("/v1/recommendations", json=asked)


def test_a_new_shop_has_the_usual_slots(recommend_api):
    slots = recommend_api.get("/v1/slots").get_json()["items"]
    assert [slot["name"] for slot in slots] == ["cart", "category", "email", "home", "product", "search"]
    assert all(slot["title"]["en"] and slot["title"]["zh"] for slot in slots)


def test_what_a_slot_has_already_can_be_put_back_as_it_is(recommend_api):
    for slot in recommend_api.get("/v1/slots").get_json()["items"]:
        name = slot.pop("name")
        del slot["version"], slot["updated_at"]
        saved = recommend_api.put(f"/v1/slots/{name}", json=slot)
        assert saved.status_code == 200, saved.get_json()
        assert {key: saved.get_json()[key] for key in slot} == slot


def test_a_slot_changes_only_for_who_has_read_its_last_version(recommend_api):
    read = recommend_api.get("/v1/slots/home")
    wanted = {"strategy": "popular", "n": 3}
    first = recommend_api.put("/v1/slots/home", json=wanted, headers={"If-Match": read.headers["ETag"]})
    assert first.status_code == 200
    assert first.headers["ETag"] != read.headers["ETag"]
    second = recommend_api.put("/v1/slots/home", json=wanted, headers={"If-Match": read.headers["ETag"]})
    assert second.status_code == 412
    assert recommend_api.delete("/v1/slots/home", headers={"If-Match": read.headers["ETag"]}).status_code == 412
    assert recommend_api.delete("/v1/slots/home", headers={"If-Match": first.headers["ETag"]}).status_code == 204
    assert recommend_api.get("/v1/slots/home").status_code == 404


def test_a_slot_made_anew_never_has_a_version_it_had_before(recommend_api):
    before = recommend_api.get("/v1/slots/home").headers["ETag"]
    recommend_api.delete("/v1/slots/home")
    assert recommend_api.put("/v1/slots/home", json={"strategy": "popular"}).headers["ETag"] != before


def test_every_change_of_a_slot_is_in_the_audit_log(recommend_api, recommend_tx):
    recommend_api.put("/v1/slots/blog", json={"strategy": "new_arrivals", "kinds": ["content"]})
    recommend_api.put("/v1/slots/blog", json={"strategy": "popular", "kinds": ["content"]})
    recommend_api.delete("/v1/slots/blog")
    told = recommend_tx.all("SELECT action, before, after FROM audit_log WHERE subject_id = 'blog' ORDER BY entry_id")
    assert [entry["action"] for entry in told] == ["slot.create", "slot.update", "slot.delete"]
    assert (told[1]["before"], told[1]["after"]) == ({"strategy": "new_arrivals"}, {"strategy": "popular"})


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"strategy": "luck"}, "strategy"),
        ({"strategy": "popular", "n": 0}, "n"),
        ({"strategy": "popular", "where": "price << 3"}, "where"),
        ({"strategy": "popular", "boosts": [{"where": "sparkle = 1", "factor": 2}]}, "boosts[0].where"),
        ({"strategy": "popular", "price_band": {"of": "item", "low": 2, "high": 1}}, "price_band"),
        ({"strategy": "buy_again"}, "exclude.bought"),
        (
            {"strategy": "popular", "pins": [{"item_id": "cup", "position": 1}, {"item_id": "pot", "position": 1}]},
            "pins",
        ),
        (
            {
                "strategy": "popular",
                "experiment": {"id": "x", "salt": "s", "variants": [{"name": n, "share": 0.4} for n in ("a", "b")]},
            },
            "experiment.variants",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused_with_the_place(recommend_api, settings, path):
    reply = recommend_api.put("/v1/slots/home", json=settings)
    assert reply.status_code == 422
    assert [error["path"] for error in reply.get_json()["errors"]] == [path]


def test_an_expression_is_told_where_it_goes_wrong(recommend_api, teas):
    reply = ask(recommend_api, where='price < 50 and color = "red"')
    assert reply.status_code == 422
    assert reply.get_json()["code"] == "bad_expression"
    assert reply.get_json()["errors"][0]["message"].startswith("character 16: there is no field 'color'")


def test_nobody_can_ask_for_a_slot_there_is_not(recommend_api, teas):
    reply = ask(recommend_api, slot="attic")
    assert (reply.status_code, reply.get_json()["code"]) == (422, "unknown_slot")


def test_a_slot_is_there_for_the_next_request_although_the_shelf_was_just_looked_at(recommend_api, teas, monkeypatch):
    monkeypatch.setattr(shelf, "LOOK_EVERY_S", 3600.0)
    assert ask(recommend_api).status_code == 200
    recommend_api.put("/v1/slots/window", json={"strategy": "new_arrivals", "n": 1})
    assert len(ids(ask(recommend_api, slot="window"))) == 1


def test_the_conditions_of_a_slot_and_of_the_request_both_hold(recommend_api, teas, monkeypatch):
    recommend_api.put("/v1/slots/home", json={"strategy": "new_arrivals", "where": "price <= 88", "n": 2})
    assert len(ids(ask(recommend_api, slot="home"))) == 2
    assert set(ids(ask(recommend_api, slot="home", n=5, where='category = "Tea"', exclude=["puer"]))) == {
        "longjing",
        "biluochun",
    }


def test_articles_are_shown_where_they_are_asked_for_only(recommend_api, teas):
    article = {"item_id": "how-to-brew", "name": "How to brew", "kind": "content", "attributes": {"minutes": 4}}
    assert recommend_api.put("/v1/items", json={"items": [article, tea("tin", 9, "Ware")]}).status_code == 200
    assert recommend_api.get("/v1/items/how-to-brew").get_json()["kind"] == "content"
    assert "how-to-brew" not in ids(ask(recommend_api, n=50))
    assert ids(ask(recommend_api, kinds=["content"])) == ["how-to-brew"]
    assert {"how-to-brew", "tin"} <= set(ids(ask(recommend_api, kinds=["content", "product"], n=50)))
