"""The parts of a person's score that come from what they did themselves, beside the products of factors.

Each part is scaled to a maximum of 1 and weighed: what is due again, what is like theirs, what is popular among the
kinds of things they take.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.model import Model
from services.recommend.domain.parameters import Weights
from services.recommend.domain.tastes import Tastes

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]

SESSION_WEIGHT: Final = 1.0
_TINY: Final = 1e-12


def add_own(total: Floats, model: Model, now: Tastes, weights: Weights) -> None:
    """Add to `total`, one figure for each item, what this person's own lines say of it."""
    if weights.again > 0:
        odds = again(model, now)[: np.searchsorted(now.keys, len(total))]
        if len(odds):
            total[now.keys[: len(odds)]] += np.float32(weights.again / max(float(odds.max()), _TINY)) * odds
    if weights.neighbours > 0 and model.likeness is not None:
        _add(total, model.likeness.reached(now.keys, now.affinity, len(total)), weights.neighbours)
    if weights.kinds > 0 and model.kinds is not None:
        known = min(len(total), len(model))
        _add(total[:known], of_kinds(model, now)[:known], weights.kinds)


def add_session(total: Floats, model: Model, live: Keys) -> None:
    """Add what others went on to in sessions like this one: as much as all that is known of the person."""
    if len(live) and model.sessions is not None:
        _add(total, model.sessions.followed(live, len(total)), SESSION_WEIGHT)


def again(model: Model, now: Tastes) -> Floats:
    """How much it is time to buy each of the keys again; without a model of that, how often it was bought."""
    return now.frequency if model.again is None else model.again.odds(now)


def of_kinds(model: Model, now: Tastes) -> Floats:
    """What is popular among the kinds of things this person takes; zeros where the catalogue says nothing of kinds."""
    if model.kinds is None:
        return np.zeros(len(model), dtype=np.float32)
    return model.kinds.lifted(now.keys, now.affinity, model.popularity)


def _add(total: Floats, part: Floats, weight: float) -> None:
    highest = float(part.max(initial=0))
    if highest > 0:
        total += part * np.float32(weight / highest)
