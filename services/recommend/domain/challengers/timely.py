"""EASE in time: what people have leads to what they will newly take, and to what is newly taken of late the more so.

EASE (see ease.py) learns which things belong together over the whole past; what is new and in season is beneath its
notice. So the weight of each item is multiplied by a power of how much it is newly taken now for how many have it.
"""

from typing import Final

import numpy as np
import scipy.sparse as sp

from services.recommend.domain.challengers.ease import Primal, weights_of
from services.recommend.domain.challengers.firsts import shares
from services.recommend.domain.challengers.log import Floats, Keys, Log
from services.recommend.domain.ranking import best_of_rows

MOST_ITEMS: Final = 4_000  # items × items × 4 bytes, three times while it is fitted: 0.2 GB at most
STRENGTH: Final = 500.0  # of the regularisation, for entries of 1
HALF_LIFE: Final = 14.0  # days of what is newly taken
_MEMORY: Final = 120.0  # days: after so many what somebody has counts half
_UNSEEN: Final = np.float32(1e-3)  # of the highest share


def fit(log: Log, power: float = 0.5, regularization: float = STRENGTH, half_life: float = HALF_LIFE) -> Primal:
    """`power` of how much an item is newly taken now; `half_life` in days of that. Over the 4,000 most taken items."""
    have, items = log.recent(_MEMORY), most_taken(log.holders)
    weights = log.once(("timely", regularization), lambda: _weights(have, items, regularization))
    now = trend(shares(log, half_life), log.holders)[items] ** np.float32(power)
    return Primal(have, weights * now, items)


def most_taken(holders: Keys, most: int = MOST_ITEMS) -> Keys:
    """The items that take part, ascending: those that most people have, and nobody else's."""
    items = np.argsort(-holders, kind="stable")[:most]
    return np.sort(items[holders[items] > 0])


def trend(fresh: Floats, holders: Keys) -> Floats:
    """Of each item: how much it is newly taken (`fresh`, a share), for how many have it, in proportion."""
    highest = float(fresh.max(initial=0))
    newly = fresh / np.float32(highest if highest > 0 else 1) + _UNSEEN
    return np.asarray(newly / (holders + 1), dtype=np.float32)


def likeness_of(have: sp.csr_matrix, keep: int, strength: float = STRENGTH, most: int = MOST_ITEMS) -> sp.csr_matrix:
    """Items × items: of each item the `keep` it most leads to. `have`: people × items, entries in (0, 1].

    What leads to a much taken item leads to it strongly; lest every item keep the same few, weights are compared
    divided by the root of all that leads there. 200 MB and a second for 4,000 items.
    """
    size = have.shape[1]
    items = most_taken(np.bincount(have.indices, minlength=size), most)
    if len(items) < 2:
        return sp.csr_matrix((size, size), dtype=np.float32)
    weights = np.maximum(_weights(have, items, strength), 0)
    common = np.sqrt(np.sqrt((weights**2).sum(axis=0)) + np.float32(1e-6))
    places = best_of_rows(weights / common, min(keep, len(items)))
    values = np.take_along_axis(weights, places, axis=1)
    rows, there = np.broadcast_to(items[:, None], places.shape), values > 0
    return sp.csr_matrix((values[there], (rows[there], items[places[there]])), shape=(size, size))


def _weights(have: sp.csr_matrix, items: Keys, strength: float) -> Floats:
    """The regularisation is that for entries of 1, less where they are smaller."""
    taken = have[:, items]
    mean_square = float(taken.power(2).sum()) / max(taken.nnz, 1)
    return weights_of(taken, strength * mean_square)
