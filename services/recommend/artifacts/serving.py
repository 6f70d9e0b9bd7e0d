"""Between a model in memory and an artefact: which arrays it has, what its manifest says, and back."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.artifacts.models import Artifact, BrokenArtifact
from services.recommend.domain.again import FIGURES, Again
from services.recommend.domain.habits import NO_HABITS, Habits
from services.recommend.domain.kinds import Kinds
from services.recommend.domain.likeness import Likeness
from services.recommend.domain.model import Model
from services.recommend.domain.pairs import Pairs
from services.recommend.domain.parameters import blend_of, parameters_of
from services.recommend.domain.scanning import FEWEST_ITEMS, Codes, coded
from services.recommend.domain.sessions import Sessions
from services.recommend.domain.trained import Trained

_SESSIONS: Final = ("starts", "items", "pointers", "with_item")


def arrays_of(trained: Trained, habits: Habits | None = None) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """The arrays of a trained model by name, and what the manifest must say for them to be read."""
    size = len(trained.popularity)
    by_country = list(trained.popularity_by_country.values())
    arrays: dict[str, NDArray[Any]] = {
        "item_factors": trained.item_factors,
        "popularity": trained.popularity,
        "popularity_by_country": np.stack(by_country) if by_country else np.empty((0, size), dtype=np.float32),
    }
    told: dict[str, Any] = {
        "items": size,
        "countries": list(trained.popularity_by_country),
        "parameters": asdict(trained.parameters),
        "blend": asdict(trained.blend),
        "codes": None,
    }
    if size >= FEWEST_ITEMS:
        codes = coded(trained.item_factors)
        arrays |= {"item_codes": codes.codes, "item_steps": codes.steps}
        told["codes"] = {"error": codes.error, "length": codes.length}
    if trained.likeness is not None:
        arrays |= {"neighbour_items": trained.likeness.items, "neighbour_weights": trained.likeness.weights}
    if trained.ease is not None:
        arrays |= {"ease_items": trained.ease.items, "ease_weights": trained.ease.weights}
    if trained.fresh is not None:
        arrays["fresh"] = trained.fresh
    if trained.again is not None:
        arrays |= {"due": trained.again.general, "due_weights": trained.again.weights}
        told["due"] = trained.again.unknown
    if trained.kinds is not None:
        arrays["groups"] = trained.kinds.groups
        arrays |= {f"group_{number}": usual for number, usual in enumerate(trained.kinds.usual)}
    if trained.sessions is not None:
        arrays |= {f"session_{name}": getattr(trained.sessions, name) for name in _SESSIONS}
    return arrays | _counted(habits), told


def _counted(habits: Habits | None) -> dict[str, NDArray[Any]]:
    if habits is None:
        return {}
    by_country = [*habits.trending_by_country.values()]
    none = np.empty((0, len(habits.trending)), dtype=np.float32)
    return {
        "pair_starts": habits.pairs.starts,
        "pair_items": habits.pairs.items,
        "pair_lifts": habits.pairs.lifts,
        "trending": habits.trending,
        "trending_by_country": np.stack(by_country) if by_country else none,
        "rhythms": habits.rhythms,
    }


def model_of(artifact: Artifact, version: str) -> Model:
    """The model in an artefact. Raises BrokenArtifact where its arrays do not fit together."""
    manifest, arrays = artifact.manifest, artifact.arrays
    _check(artifact)
    return Model(
        version=version,
        as_of=datetime.fromisoformat(manifest["as_of"]),
        item_factors=arrays["item_factors"],
        popularity=arrays["popularity"],
        parameters=parameters_of(manifest["parameters"]),
        blend=blend_of(manifest["blend"]),
        popularity_by_country=dict(zip(manifest["countries"], arrays["popularity_by_country"], strict=True)),
        codes=_codes(artifact),
        habits=_habits(artifact),
        likeness=_likeness(arrays, "neighbour"),
        ease=_likeness(arrays, "ease"),
        fresh=arrays.get("fresh"),
        again=_again(artifact),
        kinds=_kinds(arrays),
        sessions=_sessions(arrays),
    )


def _codes(artifact: Artifact) -> Codes | None:
    bounds = artifact.manifest.get("codes")  # an artefact of an earlier release has none: then scores are exact at once
    if bounds is None:
        return None
    return Codes(artifact.arrays["item_codes"], artifact.arrays["item_steps"], bounds["error"], bounds["length"])


def _again(artifact: Artifact) -> Again | None:
    if "due" not in artifact.arrays:  # of an earlier release: what is bought again goes by frequency
        return None
    return Again(artifact.arrays["due_weights"], artifact.arrays["due"], artifact.manifest["due"])


def _likeness(arrays: dict[str, NDArray[Any]], name: str) -> Likeness | None:
    if f"{name}_items" not in arrays:
        return None
    return Likeness(arrays[f"{name}_items"], arrays[f"{name}_weights"])


def _kinds(arrays: dict[str, NDArray[Any]]) -> Kinds | None:
    if "groups" not in arrays:
        return None
    usual = tuple(arrays[f"group_{number}"] for number in range(len(arrays["groups"])))
    return Kinds(arrays["groups"], usual, arrays.get("fresh"))


def _sessions(arrays: dict[str, NDArray[Any]]) -> Sessions | None:
    if "session_starts" not in arrays:
        return None
    return Sessions(**{name: arrays[f"session_{name}"] for name in _SESSIONS})


def _habits(artifact: Artifact) -> Habits:
    arrays = artifact.arrays
    if "pair_starts" not in arrays:  # of an earlier release, or published without: then other strategies fill up
        return NO_HABITS
    return Habits(
        Pairs(arrays["pair_starts"], arrays["pair_items"], arrays["pair_lifts"]),
        arrays["trending"],
        arrays["rhythms"],
        dict(zip(artifact.manifest["countries"], arrays["trending_by_country"], strict=True)),
    )


def _check(artifact: Artifact) -> None:
    """Rows of the arrays are item keys."""
    arrays, size = artifact.arrays, len(artifact.item_ids)
    factors = arrays["item_factors"]
    fits = {
        "popularity": (size,),
        "popularity_by_country": (len(artifact.manifest["countries"]), size),
        "item_codes": factors.shape,
        "item_steps": (size,),
        "due": (size,),
        "due_weights": (FIGURES,),
        "fresh": (size,),
        "session_pointers": (size + 1,),
        "pair_starts": (size + 1,),
        "trending": (size,),
        "rhythms": (size,),
    }
    wrong = [name for name, shape in fits.items() if name in arrays and arrays[name].shape != shape]
    rows = ("item_factors", "neighbour_items", "neighbour_weights", "ease_items", "ease_weights")
    along = {**dict.fromkeys(rows, 0), "groups": 1}
    wrong += [name for name, axis in along.items() if name in arrays and arrays[name].shape[axis] != size]
    if "pair_starts" in arrays and not _pairs_fit(arrays, size):
        wrong.append("pair_items")
    if wrong:
        raise BrokenArtifact(f"its arrays are not as long as its list of items: {', '.join(wrong)}")


def _pairs_fit(arrays: dict[str, NDArray[Any]], size: int) -> bool:
    starts, items = arrays["pair_starts"], arrays["pair_items"]
    fits = len(items) == len(arrays["pair_lifts"]) == starts[-1]
    return bool(fits and (not len(items) or 0 <= items.min() <= items.max() < size))
