"""A low-pass filter on the graph of people and items: neighbours of all, and the smoothest parts of the whole.

Y. Shen et al., "How Powerful is Graph Convolution for Recommendation?" (GF-CF), CIKM 2021.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.utils.extmath import randomized_svd

from services.recommend.domain.challengers.log import Floats, Keys, Log


@dataclass(frozen=True)
class Filtered:
    """`profiles` people × items; `adjacency` the same, normalised; `smooth` items × parts; `scale` one an item."""

    profiles: sp.csr_matrix
    adjacency: sp.csr_matrix
    smooth: Floats
    scale: Floats
    share: float

    def scores(self, people: Keys) -> Floats:
        """See Contender."""
        have = self.profiles[people]
        near = have @ self.adjacency.T @ self.adjacency
        ideal = ((have @ sp.diags(self.scale)) @ self.smooth) @ self.smooth.T
        found: Floats = near.toarray() + np.float32(self.share) * ideal / self.scale
        return found


def fit(log: Log, parts: int = 256, share: float = 0.3, decay: float = 1.0) -> Filtered:
    """`parts`: how many singular vectors; `share`: how much they count beside the neighbours."""
    taken = log.matrix()
    by_people, by_items = _roots(np.diff(taken.indptr)), _roots(np.bincount(taken.indices, minlength=log.item_count))
    adjacency = sp.csr_matrix(sp.diags(by_people) @ taken @ sp.diags(by_items))
    parts = max(1, min(parts, min(adjacency.shape) - 1))
    _, _, smooth = randomized_svd(adjacency, parts, n_oversamples=20, n_iter=3, random_state=0)
    return Filtered(log.matrix(decay), adjacency, smooth.T.astype(np.float32), by_items, share)


def _roots(counts: NDArray[np.int64]) -> Floats:
    return (1 / np.sqrt(np.maximum(counts, 1))).astype(np.float32)
