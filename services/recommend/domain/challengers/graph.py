"""A low-pass filter on the graph of people and items: neighbours of all, and the smoothest parts of the whole.

Y. Shen et al., "How Powerful is Graph Convolution for Recommendation?" (GF-CF), CIKM 2021.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
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
        alike = have @ self.adjacency.T
        if alike.nnz > 0.1 * alike.shape[0] * alike.shape[1]:
            found: Floats = alike.toarray() @ self.adjacency
        else:
            found = (alike @ self.adjacency).toarray()
        if self.share > 0:
            ideal = ((have @ sp.diags(self.scale)) @ self.smooth) @ self.smooth.T
            ideal *= np.float32(self.share) / self.scale
            found += ideal
        return found


def fit(log: Log, parts: int = 256, share: float = 0.3, decay: float = 1.0) -> Filtered:
    """`parts`: how many singular vectors; `share`: how much they count beside the neighbours."""
    taken = log.matrix()
    by_people, by_items = _roots(np.diff(taken.indptr)), _roots(log.holders)
    adjacency = sp.csr_matrix(sp.diags(by_people) @ taken @ sp.diags(by_items))
    smooth = log.once(("graph", parts), lambda: _smooth(adjacency, parts))
    return Filtered(log.matrix(decay), adjacency, smooth, by_items, share)


def _smooth(adjacency: sp.csr_matrix, parts: int) -> Floats:
    parts = max(1, min(parts, min(adjacency.shape) - 1))
    _, _, smooth = randomized_svd(adjacency, parts, n_oversamples=20, n_iter=3, random_state=0)
    return np.ascontiguousarray(smooth.T, dtype=np.float32)


def _roots(counts: Keys) -> Floats:
    return (1 / np.sqrt(np.maximum(counts, 1))).astype(np.float32)
