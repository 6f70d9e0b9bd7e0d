"""Variety: how alike two items are, and a choice of good ones that are unlike each other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.catalogue import Catalogue
from services.recommend.domain.model import Model

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]

SAME_CATEGORY: Final = np.float32(0.7)
SAME_BRAND: Final = np.float32(0.3)
_TINY: Final = np.float32(1e-12)


@dataclass(frozen=True)
class Likeness:
    """How alike items are, in [0, 1]: the cosine of their factors, or by category and brand, whichever is more."""

    model: Model | None
    catalogue: Catalogue

    def between(self, key: int, others: Keys) -> Floats:
        """Of one item and each of some."""
        categories, brands = self.catalogue.columns.categories, self.catalogue.columns.brands
        item = self.catalogue.items[key]
        same = np.zeros(len(others), np.float32)
        if item.category:
            same += SAME_CATEGORY * (categories.codes[others] == categories.codes[key])
        if item.brand:
            same += SAME_BRAND * (brands.codes[others] == brands.codes[key])
        return np.maximum(same, self._cosines(key, others))

    def _cosines(self, key: int, others: Keys) -> Floats:
        model = self.model
        found = np.zeros(len(others), np.float32)
        if model is None or key >= len(model):
            return found
        known = others < len(model)
        rows = others[known]
        lengths = np.maximum(model.lengths[rows] * model.lengths[key], _TINY)
        found[known] = (model.item_factors[rows] @ model.item_factors[key]) / lengths
        return np.clip(found, 0, 1)


def take_varied(
    likeness: Likeness,
    pool: Keys,
    scores: Floats,
    chosen: Sequence[int],
    diversity: float,
    wanted: int,
    take: Callable[[int, float], bool],
) -> None:
    """Offer items of `pool` to `take`, until it took `wanted`, by maximal marginal relevance (Carbonell and Goldstein).

    Each time the one with the most of (1 − diversity) × its score, scaled over the pool to [0, 1], − diversity × its
    likeness to the likest one chosen; of equals the first. What `take` refuses counts for nothing.
    """
    lowest, highest = float(scores.min()), float(scores.max())
    relevance = (scores - lowest) / (highest - lowest) if highest > lowest else np.ones(len(pool), np.float32)
    likest = np.zeros(len(pool), np.float32)
    for key in chosen:
        likest = np.maximum(likest, likeness.between(key, pool))
    value = (1 - diversity) * relevance
    for _ in range(len(pool)):
        place = int((value - diversity * likest).argmax())
        value[place] = -np.inf
        if take(int(pool[place]), float(scores[place])):
            wanted -= 1
            if wanted == 0:
                return
            likest = np.maximum(likest, likeness.between(int(pool[place]), pool))
