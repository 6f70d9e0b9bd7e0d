"""Content: what is wanted lately among things of the kinds that a person takes (category, brand …).

Each grouping gives how much more of each of its groups a person takes than all do; their geometric mean, to a power,
times how much an item was wanted lately, is its score. Knows items that nobody has taken together with others.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp

from services.recommend.domain.challengers.log import Floats, Keys, Log

_SMOOTHING: Final = np.float32(10)  # visits of everybody's taste that a person's own stands against
_UNSEEN: Final = np.float32(0.1)


@dataclass(frozen=True)
class Affinity:
    """`lifts` people × groups of each grouping, `groups` the number of each item's group in it; `wanted` items."""

    lifts: tuple[Floats, ...]
    groups: tuple[Keys, ...]
    wanted: Floats
    power: float

    def scores(self, people: Keys) -> Floats:
        """See Contender."""
        found = np.zeros((len(people), len(self.wanted)), dtype=np.float32)
        for lifts, groups in zip(self.lifts, self.groups, strict=True):
            found += np.log(lifts[people])[:, groups]
        found *= np.float32(self.power / max(len(self.groups), 1))
        return np.asarray(np.exp(found, out=found) * self.wanted)


def fit(log: Log, power: float = 0.5, half_life: float = 7.0) -> Affinity:
    """`power` of the taste; `half_life` in days of what is wanted."""
    weights = np.ones(len(log)) if log.days is None else np.exp2(-log.days / half_life)
    wanted = (np.bincount(log.items, weights=weights, minlength=log.item_count) + _UNSEEN).astype(np.float32)
    tables = log.once("lifts", lambda: tuple(lifts(log, groups) for groups in log.groups.values()))
    return Affinity(tables, tuple(log.groups.values()), wanted / wanted.max(), power)


def lifts(log: Log, groups: Keys) -> Floats:
    """People × groups: a person's share of each group, smoothed, over everybody's; 1: as all do."""
    size = int(groups.max(initial=0)) + 1
    members = sp.csr_matrix(
        (np.ones(len(groups), dtype=np.float32), (np.arange(len(groups)), groups)), (len(groups), size)
    )
    counts = (log.matrix(0.98, repeats=True) @ members).toarray()
    usual = counts.sum(axis=0) + 1
    usual /= usual.sum()
    own = (counts + _SMOOTHING * usual) / (counts.sum(axis=1, keepdims=True) + _SMOOTHING)
    found: Floats = (own / usual).astype(np.float32)
    return found
