"""The parts of a person's score that come from what they did themselves, beside the products of factors.

Each part is scaled to a maximum of 1 and weighed: what is due again, what theirs leads to, what is like theirs, what is
newly taken among the kinds of things they take.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.model import Model
from services.recommend.domain.parameters import Weights
from services.recommend.domain.tastes import Lines, Tastes

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]

SESSION_WEIGHT: Final = 1.0
_TINY: Final = 1e-12


def add_own(total: Floats, model: Model, lines: Lines, now: Tastes, moment: Keys, weights: Weights) -> None:
    """Add to `total`, one figure for each item, what this person's own lines say of it, and the items of the moment.

    `now`: the tastes in these lines. A part that weighs nothing is not computed.
    """
    if weights.again > 0:
        chances = again(model, lines, now)[: np.searchsorted(now.keys, len(total))]
        if len(chances):
            total[now.keys[: len(chances)]] += np.float32(weights.again / max(float(chances.max()), _TINY)) * chances
    if weights.ease > 0 and model.ease is not None:
        _add(total, of_ease(model, now, moment, len(total)), weights.ease)
    if weights.neighbours > 0 and model.likeness is not None:
        _add(total, model.likeness.reached(now.keys, now.affinity, len(total)), weights.neighbours)
    if weights.kinds > 0 and model.kinds is not None:
        known = min(len(total), len(model))
        _add(total[:known], of_kinds(model, now)[:known], weights.kinds)


def add_session(total: Floats, model: Model, live: Keys) -> None:
    """Add what others went on to in sessions like this one: as much as all that is known of the person."""
    if len(live) and model.sessions is not None:
        _add(total, model.sessions.followed(live, len(total)), SESSION_WEIGHT)


def again(model: Model, lines: Lines, now: Tastes) -> Floats:
    """How much it is time to buy each of the keys again; without a model of that, how often it was bought."""
    return now.frequency if model.again is None else model.again.chances(lines, now)


def of_ease(model: Model, now: Tastes, moment: Keys, size: int) -> Floats:
    """What a person's things lead to; those of the moment weigh as much as all they have, however much that is."""
    if model.ease is None:
        return np.zeros(size, dtype=np.float32)
    keys, affinity = now.keys, np.minimum(now.affinity, np.float32(1))
    if len(moment):
        each = np.float32(max(float(affinity.sum()), 1.0) / len(moment))
        keys, affinity = np.concatenate([moment, keys]), np.concatenate([np.full(len(moment), each), affinity])
    return model.ease.reached(keys, affinity, size)


def of_kinds(model: Model, now: Tastes) -> Floats:
    """What is popular among the kinds of things this person takes; zeros where the catalogue says nothing of kinds."""
    if model.kinds is None:
        return np.zeros(len(model), dtype=np.float32)
    return model.kinds.lifted(now.keys, now.affinity, model.popularity)


def _add(total: Floats, part: Floats, weight: float) -> None:
    highest = float(part.max(initial=0))
    if highest > 0:
        total += part * np.float32(weight / highest)
