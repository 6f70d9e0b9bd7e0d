"""Between a trained model and its files: nothing is lost, and what an earlier release wrote still serves."""

from dataclasses import replace

import numpy as np
import pytest

from services.recommend.artifacts import models as artifacts
from services.recommend.artifacts.models import Artifact, BrokenArtifact
from services.recommend.artifacts.serving import arrays_of, model_of
from services.recommend.domain.described import Described
from services.recommend.domain.histories import History
from services.recommend.domain.interactions import Kind
from services.recommend.domain.parameters import AlsParameters, Blend, Parameters, Weights, is_complete
from services.recommend.domain.parts import again
from services.recommend.domain.tastes import Lines, tastes
from services.recommend.domain.training import train

ITEMS = 30
NAMES = [f"item {key}" for key in range(ITEMS)]
DESCRIBED = Described(NAMES, [("Tea",) if key % 2 else ("Ware",) for key in range(ITEMS)], [None] * ITEMS)
AS_OF = {"as_of": "2026-05-20T00:00:00+00:00"}


@pytest.fixture(scope="module")
def trained():
    rng = np.random.default_rng(1)
    person = np.repeat(np.arange(120), 24)
    item = np.where(rng.random(len(person)) < 0.5, person % 5, rng.integers(0, ITEMS, len(person)))
    age = np.tile(np.repeat(np.arange(12) * 7.0 + 1, 2), 120)
    lines = Lines(item, np.full(len(item), Kind.BOUGHT, np.int16), np.ones(len(item), "f4"), age.astype("f4"))
    made = train(History(person, lines, 120, ITEMS), Parameters(als=AlsParameters(factors=4, iterations=3)), DESCRIBED)
    return replace(made, blend=Blend(Weights(again=1, ease=0.3, firsts=0.1), Weights(ease=1, kinds=0.2, popular=0.1)))


def test_what_is_read_back_is_what_was_trained_and_mapped(trained, tmp_path):
    artifacts.configure(f"file://{tmp_path}")
    arrays, told = arrays_of(trained)
    model = model_of(artifacts.read(artifacts.write("v1", {**AS_OF, **told}, NAMES, arrays)), "v1")
    assert (model.blend, model.parameters) == (trained.blend, trained.parameters)
    assert model.again.unknown == trained.again.unknown
    pairs = (
        (model.ease.items, trained.ease.items),
        (model.ease.weights, trained.ease.weights),
        (model.fresh, trained.fresh),
        (model.kinds.fresh, trained.fresh),
        (model.again.general, trained.again.general),
        (model.again.weights, trained.again.weights),
    )
    for found, wanted in pairs:
        assert np.array_equal(found, wanted)
        assert not found.flags.owndata


def earlier(trained):
    """The artefact as the release before wrote it."""
    arrays, told = arrays_of(trained)
    for name in ("ease_items", "ease_weights", "due", "due_weights"):
        del arrays[name]
    del told["due"], told["parameters"]["trend_power"]
    for weights in told["blend"].values():
        del weights["ease"], weights["firsts"]
    return Artifact({**AS_OF, **told, "again": [0.8, 0.3]}, NAMES, {**arrays, "again": np.ones(ITEMS, "f4")})


def test_an_artefact_of_the_release_before_serves_by_frequency_and_is_due_to_be_renewed(trained):
    artifact = earlier(trained)
    model = model_of(artifact, "v0")
    assert (model.ease, model.again, model.blend.discover.ease) == (None, None, 0)
    assert model.blend.discover.kinds == 0.2
    own = Lines.of([3, 3, 7], Kind.BOUGHT)
    assert again(model, own, tastes(own, model.parameters)).tolist() == [2, 1]
    assert not is_complete(artifact.manifest["parameters"])
    assert is_complete(arrays_of(trained)[1]["parameters"])


@pytest.mark.parametrize("name", ["ease_items", "ease_weights", "fresh", "due", "due_weights"])
def test_an_artefact_whose_arrays_are_of_another_length_is_refused(trained, name):
    arrays, told = arrays_of(trained)
    with pytest.raises(BrokenArtifact, match=name):
        model_of(Artifact({**AS_OF, **told}, NAMES, {**arrays, name: arrays[name][:-1]}), "v1")
