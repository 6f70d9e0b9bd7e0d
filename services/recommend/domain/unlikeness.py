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

    def to(self, others: Keys) -> Callable[[int], Floats]:
        """From a key to its likeness to each of these items: what they are is looked up once."""
        categories, brands = self.catalogue.columns.categories.codes, self.catalogue.columns.brands.codes
        own_categories, own_brands, directions = categories[others], brands[others], self._directions(others)

        def alike(key: int) -> Floats:
            item, found = self.catalogue.items[key], np.zeros(len(others), np.float32)
            if item.category:
                found += SAME_CATEGORY * (own_categories == categories[key])
            if item.brand:
                found += SAME_BRAND * (own_brands == brands[key])
            if directions is not None and self.model is not None:
                np.maximum(found, directions @ self.model.direction(key), out=found)
            return np.minimum(found, 1)

        return alike

    def _directions(self, keys: Keys) -> Floats | None:
        """Their factors at length 1; zeros for items that the model does not know."""
        if self.model is None:
            return None
        known = keys < len(self.model)
        rows = np.where(known, keys, 0)
        scale = known / np.maximum(self.model.lengths[rows], _TINY)
        return np.asarray(self.model.item_factors[rows] * scale[:, None], dtype=np.float32)


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
    likest, alike = np.zeros(len(pool), np.float32), likeness.to(pool)
    for key in chosen:
        np.maximum(likest, alike(key), out=likest)
    value = (1 - diversity) * relevance
    for _ in range(len(pool)):
        place = int((value - diversity * likest).argmax())
        value[place] = -np.inf
        if take(int(pool[place]), float(scores[place])):
            wanted -= 1
            if wanted == 0:
                return
            np.maximum(likest, alike(int(pool[place])), out=likest)
