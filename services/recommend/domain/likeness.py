"""Items like other items as they serve: for each the few strongest, as two arrays that are mapped into memory."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
from numba import int64
from numpy.typing import NDArray

from services.recommend.domain.compiled import FLOATS, KEYS, MATRIX, NUMBERS, compiled

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]

KEPT: Final = 50
_MOST_OWN: Final = 256  # of a person's items, those they like most: what a request costs is bounded


@dataclass(frozen=True)
class Likeness:
    """`items` items × kept, int32, and `weights`, float32: 0 where an item has fewer."""

    items: NDArray[np.int32]
    weights: Floats

    @classmethod
    def of(cls, matrix: sp.csr_matrix, kept: int = KEPT) -> "Likeness":
        """The strongest entries of each row of an items × items matrix."""
        size = matrix.shape[0]
        items, weights = np.zeros((size, kept), dtype=np.int32), np.zeros((size, kept), dtype=np.float32)
        rows = np.repeat(np.arange(size), np.diff(matrix.indptr))
        order = np.lexsort((matrix.indices, -matrix.data, rows))
        places = np.arange(len(order)) - matrix.indptr[rows]
        first = places < kept
        items[rows[first], places[first]] = matrix.indices[order[first]]
        weights[rows[first], places[first]] = matrix.data[order[first]]
        return cls(items, weights)

    def times(self, factors: Floats) -> "Likeness":
        """The same, what leads to each item multiplied by its factor."""
        return Likeness(self.items, self.weights * factors[self.items])

    def reached(self, keys: Keys, affinity: Floats, size: int) -> Floats:
        """What these items lead to, in sum: one figure for each of `size` items."""
        known = (keys < len(self.items)) & (affinity > 0)
        keys, affinity = keys[known], affinity[known]
        if len(keys) > _MOST_OWN:
            first = np.argpartition(-affinity, _MOST_OWN)[:_MOST_OWN]
            keys, affinity = keys[first], affinity[first]
        return _reached(self.items, self.weights, keys, affinity, size)


@compiled(NUMBERS, MATRIX, KEYS, FLOATS, int64)
def _reached(items: NDArray[np.int32], weights: Floats, keys: Keys, affinity: Floats, size: int) -> Floats:
    found = np.zeros(size, dtype=np.float32)
    for place in range(len(keys)):
        key, liked = keys[place], affinity[place]
        for rank in range(items.shape[1]):
            if items[key, rank] < size:
                found[items[key, rank]] += weights[key, rank] * liked
    return found
