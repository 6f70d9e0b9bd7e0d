"""Whether it is time to buy a thing again: the odds of each thing a person bought being in their next visit.

From what their own visits say of it (how often, how lately, how regularly) and from what is known of the item. All is
counted in visits: how many days have gone by says more of when somebody comes than of what they take then.
repurchase.py learns it.
"""

from dataclasses import dataclass
from math import log, log1p
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.compiled import FLOATS, KEYS, KINDS, compiled
from services.recommend.domain.interactions import Kind
from services.recommend.domain.tastes import Lines, Tastes

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]

FIGURES: Final = 17
SAME_VISIT: Final = 0.5 / 24  # days between two purchases that are one visit
_DECAYS: Final = (0.98, 0.9, 0.8, 0.6)  # with each further visit back
_LEFT, _PERSON = 11, 15  # where the figures begin of what is left after decay, and of the person
_TINY: Final = 1e-3
_BOUGHT: Final = int(Kind.BOUGHT)


@dataclass(frozen=True)
class Again:
    """`weights` of what evidence() tells, `general` one figure an item: its own part of the log-odds.

    `unknown`: that of an item which is newer than the model.
    """

    weights: Floats
    general: Floats
    unknown: float = 0.0

    def chances(self, lines: Lines, now: Tastes) -> Floats:
        """Of each key of `now`, which is of the same lines; 0 for what was not bought, or given back."""
        keys, table = evidence(lines.keys, lines.kinds, lines.ages)
        known = np.searchsorted(keys, len(self.general))
        odds = table @ self.weights
        odds[:known] += self.general[keys[:known]]
        odds[known:] += np.float32(self.unknown)
        found = np.zeros(len(now.keys), dtype=np.float32)
        found[np.searchsorted(now.keys, keys)] = 1 / (1 + np.exp(-odds))
        return found * (now.frequency > 0)


@compiled(FLOATS)
def _visits(ages: Floats) -> tuple[Keys, NDArray[np.float64]]:
    """How many visits came after each purchase, the newest first; and for so many what each decay leaves of one."""
    since, visit = np.empty(len(ages), dtype=np.int64), 0
    for place in range(len(ages)):
        if place and ages[place] - ages[place - 1] > SAME_VISIT:
            visit += 1
        since[place] = visit
    left = np.ones((visit + 1, len(_DECAYS)))
    for number in range(1, visit + 1):
        for decay in range(len(_DECAYS)):
            left[number, decay] = left[number - 1, decay] * _DECAYS[decay]
    return since, left


@compiled(KEYS, KINDS, FLOATS)
def evidence(keys: Keys, kinds: NDArray[np.int16], ages: Floats) -> tuple[Keys, Floats]:
    """What one person's purchases say of each thing they bought: its key, ascending, and a row of figures.

    Other lines are passed over. Purchases less than half an hour apart are one visit.
    """
    bought = np.flatnonzero(kinds == _BOUGHT)
    bought = bought[np.argsort(ages[bought], kind="mergesort")]
    since, left = _visits(ages[bought])
    order = np.argsort(keys[bought], kind="mergesort")
    distinct, table = np.empty(len(order), dtype=np.int64), np.empty((len(order), FIGURES), dtype=np.float32)
    rows = place = 0
    while place < len(order):
        key, first, count, last = keys[bought[order[place]]], since[order[place]], 0, -1
        own = table[rows]
        own[_LEFT:_PERSON] = _TINY
        while place < len(order) and keys[bought[order[place]]] == key:
            back = since[order[place]]
            if back != last:
                count, last = count + 1, back
                for decay in range(len(_DECAYS)):
                    own[_LEFT + decay] += left[back, decay]
            place += 1
        distinct[rows] = key
        often, late, life, once = log1p(count), log1p(first), last + 1.0, 1.0 if count == 1 else 0.0
        gap = (last - first) / max(count - 1, 1)
        due = log((first + 0.5) / (gap + 0.5)) if count > 1 else 0.0
        own[0], own[1], own[2], own[3] = often, often * often, late, often * late
        own[4], own[5], own[6], own[7] = log1p(life), log(count / life), due, due * due
        own[8], own[9], own[10] = once, once * late, log1p(gap) if count > 1 else 0.0
        for decay in range(_LEFT, _PERSON):
            own[decay] = log(own[decay])
        own[_PERSON], own[_PERSON + 1] = log(len(left)), log(len(order) / len(left))
        rows += 1
    return distinct[:rows], table[:rows]
