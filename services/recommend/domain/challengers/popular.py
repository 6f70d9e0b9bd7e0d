"""The same for everybody: what most people took, lately."""

from dataclasses import dataclass

import numpy as np

from services.recommend.domain.challengers.log import Floats, Keys, Log


@dataclass(frozen=True)
class Popular:
    """`weights`: one an item."""

    weights: Floats

    def scores(self, people: Keys) -> Floats:
        """See Contender. Also of people nothing is known of."""
        return np.tile(self.weights, (len(people), 1))


def fit(log: Log, half_life: float | None = None) -> Popular:
    """`half_life` in days: after one, a line counts half. None, or where days are unknown: all count the same."""
    weights = np.ones(len(log))
    if half_life is not None and log.days is not None:
        weights = np.exp2(-log.days / half_life)
    return Popular(np.bincount(log.items, weights=weights, minlength=log.item_count).astype(np.float32))
