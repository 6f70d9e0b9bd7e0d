"""Publishing models: whole or not at all, and the champion serves on."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from services.recommend.actions import interactions, shelf, training
from services.recommend.artifacts import models as artifacts
from services.recommend.domain.parameters import Blend, Parameters, Recipe, Weights
from services.recommend.store import models as store


@pytest.fixture
def busy(recommend_api, shop, teas, as_recommend):
    """A shop with something to learn from."""
    for number in range(5):
        shop.bought(f"customer {number}", "longjing", "cup", "biluochun")
    as_recommend(interactions.read_events)
    return recommend_api


@pytest.fixture
def train(busy, as_recommend):
    """Ask for a model and let the trainer work."""

    def run():
        assert busy.post("/v1/models").status_code == 202
        return as_recommend(training.train_if_due)

    return run


def serving(api):
    return api.post("/v1/recommendations", json={"n": 1}).get_json()["model_version"]


def folder_of(api, version):
    models = api.get("/v1/models").get_json()["items"]
    path = next(model["path"] for model in models if model["version"] == version)
    return Path(path.removeprefix("file://"))


def take_up(api):
    """Ask until what a first question may have started beside the traffic is done; a refusal takes a second one."""
    for _ in range(2):
        serving(api)
        for thread in threading.enumerate():
            if thread.name == shelf.LOADER:
                thread.join()
    return serving(api)


def test_a_published_model_is_taken_up_without_a_restart(busy, train):
    assert serving(busy) is None
    first = train()
    assert take_up(busy) == first
    second = train()
    assert take_up(busy) == second


def test_the_registry_tells_what_a_model_was_made_of(busy, train):
    version = train()
    body = busy.get("/v1/models").get_json()
    (model,) = body["items"]
    assert model["version"] == version
    assert model["as_of"].startswith("2026-05-20T12:00")
    assert model["manifest"]["figures"]["lines"] == 15
    assert model["manifest"]["parameters"]["als"]["factors"] == 64
    assert body["training"]["failure"] is None


def test_a_model_knows_nothing_that_happened_after_its_as_of_time(busy, train, shop, as_recommend):
    shop.bought("customer 0", "puer", days_ago=-3)
    as_recommend(interactions.read_events)
    train()
    assert busy.get("/v1/models").get_json()["items"][0]["manifest"]["figures"]["lines"] == 15


def test_nothing_is_trained_unless_it_is_due_or_asked_for(busy, as_recommend):
    assert as_recommend(training.train_if_due) is None


def test_a_model_that_was_altered_is_refused_and_the_one_before_serves_on(busy, train):
    first = train()
    assert take_up(busy) == first
    second = train()
    factors = folder_of(busy, second) / "item_factors.npy"
    factors.write_bytes(factors.read_bytes()[:-4] + b"\0\1\2\3")
    assert take_up(busy) == first
    third = train()
    assert take_up(busy) == third


def test_a_process_that_starts_where_the_newest_model_is_broken_takes_the_one_before(busy, train):
    first, second = train(), train()
    (folder_of(busy, second) / "popularity.npy").unlink()
    shelf.forget()
    assert serving(busy) == first


def test_a_model_of_another_catalogue_is_refused(busy, train, recommend_tx):
    version = train()
    recommend_tx.execute("UPDATE item SET item_id = 'swapped' WHERE item_id = 'cup'")
    shelf.forget()
    assert serving(busy) != version


@pytest.mark.parametrize("where", ["write", "publish"])
def test_a_trainer_that_dies_midway_leaves_the_champion_serving(busy, train, monkeypatch, where, recommend_tx):
    champion = train()
    assert take_up(busy) == champion
    with monkeypatch.context() as patch:
        place = artifacts if where == "write" else store
        patch.setattr(place, where, lambda *_: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            train()
    assert take_up(busy) == champion
    assert recommend_tx.value("SELECT count(*) FROM model") == 1
    training_state = busy.get("/v1/models").get_json()["training"]
    assert training_state["failure"] == "OSError: disk full"
    after = train()
    assert take_up(busy) == after
    assert busy.get("/v1/models").get_json()["training"]["failure"] is None


def test_only_the_newest_three_keep_their_files(busy, train):
    versions = [train() for _ in range(5)]
    folder = folder_of(busy, versions[-1]).parent
    assert sorted(path.name for path in folder.iterdir()) == sorted(versions[2:])
    paths = {model["version"]: model["path"] for model in busy.get("/v1/models").get_json()["items"]}
    assert [version for version in versions if paths[version] is None] == versions[:2]


def test_a_shop_without_interactions_is_told_so(recommend_api, teas, as_recommend):
    recommend_api.post("/v1/models")
    with pytest.raises(Exception, match="no interactions"):
        as_recommend(training.train_if_due)
    assert "no interactions" in recommend_api.get("/v1/models").get_json()["training"]["failure"]


def test_a_server_key_may_not_start_training(recommend_api):
    assert recommend_api.as_key("server").post("/v1/models").status_code == 403


def test_an_earlier_model_is_restored_in_one_call_and_the_deed_is_written_down(busy, train, recommend_tx):
    first, second = train(), train()
    assert take_up(busy) == second
    restored = busy.post(f"/v1/models/{first}/restore")
    assert (restored.status_code, restored.get_json()["status"]) == (200, "serving")
    assert take_up(busy) == first
    statuses = {model["version"]: model["status"] for model in busy.get("/v1/models").get_json()["items"]}
    assert statuses == {first: "serving", second: "ready"}
    shelf.forget()
    assert serving(busy) == first
    entry = recommend_tx.one("SELECT action, subject_id, before, after FROM audit_log WHERE action = 'model.restore'")
    assert (entry["before"], entry["after"]) == ({"serving": second}, {"serving": first})


def test_a_restored_model_keeps_its_files_and_the_next_model_takes_over(busy, train):
    versions = [train() for _ in range(3)]
    busy.post(f"/v1/models/{versions[0]}/restore")
    fourth = train()
    assert take_up(busy) == fourth
    assert busy.get(f"/v1/models/{versions[0]}").get_json()["status"] == "ready"
    assert busy.get(f"/v1/models/{versions[1]}").get_json()["status"] == "retired"


def test_a_model_without_files_cannot_be_restored(busy, train):
    versions = [train() for _ in range(5)]
    refused = busy.post(f"/v1/models/{versions[0]}/restore")
    assert (refused.status_code, refused.get_json()["code"]) == (409, "model_without_files")
    assert busy.post("/v1/models/none/restore").status_code == 404
    assert busy.get("/v1/models/none").status_code == 404
    assert take_up(busy) == versions[-1]


def test_a_challenger_that_loses_is_in_the_registry_with_its_figures_and_never_serves(busy, train, monkeypatch):
    made = training.train
    loser = Recipe(Parameters(), Blend(Weights(popular=1.0)))

    def beaten(*given):
        return replace(made(*given), beaten=(loser, {"validation": {"beats_champion": False}}))

    monkeypatch.setattr(training, "train", beaten)
    version = train()
    champion, challenger = sorted(busy.get("/v1/models").get_json()["items"], key=lambda model: model["status"])[::-1]
    assert (champion["version"], champion["status"]) == (version, "serving")
    assert (challenger["status"], challenger["path"], challenger["serving_since"]) == ("not_published", None, None)
    assert challenger["manifest"]["figures"]["validation"] == {"beats_champion": False}
    assert take_up(busy) == version
    assert busy.post(f"/v1/models/{challenger['version']}/restore").status_code == 409


def test_every_array_of_a_model_is_mapped_from_its_file_and_cannot_be_written(busy, train):
    version = train()
    take_up(busy)
    _, model = shelf.current()
    assert model.version == version
    arrays = [
        model.item_factors,
        model.likeness.items,
        model.likeness.weights,
        model.sessions.items,
        model.ease.items,
        model.ease.weights,
        model.fresh,
    ]
    assert not any(array.flags.writeable for array in arrays)
    mapped = Path("/proc/self/maps").read_text()
    folder = folder_of(busy, version)
    for name in (
        "item_factors",
        "neighbour_items",
        "neighbour_weights",
        "ease_items",
        "fresh",
        "session_items",
        "groups",
    ):
        assert str(folder / f"{name}.npy") in mapped
