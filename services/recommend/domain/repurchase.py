"""How likely a thing is bought again, learned from each person's last purchase by those before. again.py serves it.

A logistic regression on how often they bought it, decayed slowly and fast, how often it comes again with anybody, and
how much it is wanted now.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from services.recommend.domain.again import TINY, Again, by_frequency
from services.recommend.domain.histories import History
from services.recommend.domain.interactions import Kind
from services.recommend.domain.parameters import Parameters
from services.recommend.domain.tastes import tastes

Floats = NDArray[np.float32]

MOST_PEOPLE: Final = 5_000
_FEWEST: Final = 200  # things bought that came again, to learn from


def learn(history: History, parameters: Parameters, popularity: Floats) -> Again:
    """From the last purchases of at most 5,000 people. `popularity`: of each item now, in [0, 1]."""
    size = history.item_count
    bought = history.lines.kinds == Kind.BOUGHT
    last = np.full(history.person_count, np.inf, dtype=np.float32)
    np.minimum.at(last, history.people[bought], history.lines.ages[bought])
    target = bought & (history.lines.ages <= last[history.people])
    before = history.lines.ages > last[history.people]
    asked = np.unique(history.people[target])
    if len(asked) > MOST_PEOPLE:
        asked = asked[np.linspace(0, len(asked) - 1, MOST_PEOPLE).astype(np.int64)]
    before &= np.isin(history.people, asked)
    past = history.grouped().some(before)
    known = tastes(past.aged(-last[history.people[before]]), parameters)
    there = known.frequency > 0
    cells = history.people[target] * size + history.lines.keys[target]
    came = np.isin(known.keys[there], cells)
    if not _FEWEST <= came.sum() < len(came):
        return by_frequency(size)
    general = _general(history, popularity)
    own = np.log(np.stack([known.frequency[there], known.lately[there]], axis=1) + TINY)
    table = np.concatenate([own, general[known.keys[there] % size]], axis=1)
    mean, spread = table.mean(axis=0), np.maximum(table.std(axis=0), TINY)
    weights = LogisticRegression(max_iter=200).fit((table - mean) / spread, came).coef_[0] / spread
    of_items = np.exp(np.clip(general @ weights[2:] - mean[2:] @ weights[2:], -20, 20)).astype(np.float32)
    return Again((max(float(weights[0]), 0.0), max(float(weights[1]), 0.0)), of_items)


def _general(history: History, popularity: Floats) -> Floats:
    """Of each item: how many of those who bought it did so on several occasions, and how much it is wanted now."""
    size = history.item_count
    bought = history.lines.kinds == Kind.BOUGHT
    cells, counts = np.unique(history.grouped().keys[bought], return_counts=True)
    items = cells % size
    holders = np.bincount(items, minlength=size)
    several = np.bincount(items, weights=counts > 1, minlength=size)
    return np.stack([np.log((several + 1) / (holders + 5)), np.log(popularity + 1e-2)], axis=1).astype(np.float32)
