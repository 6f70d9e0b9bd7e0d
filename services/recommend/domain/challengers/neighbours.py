"""Item neighbours: items that the same people took, by shrunk cosine, or by BM25's weights.

B. Sarwar et al., WWW 2001. BM25's weights as in S. Robertson and H. Zaragoza 2009, people in the place of documents.
"""

import numpy as np
import scipy.sparse as sp

from services.recommend.domain.challengers.log import Floats, Keys, Log
from services.recommend.domain.challengers.similarities import Similarities, strongest, worth_comparing

_K1, _B = 1.2, 0.75
_TINY = np.float32(1e-9)


def fit(log: Log, keep: int = 100, shrink: float = 10.0, bm25: bool = False, decay: float = 1.0) -> Similarities:
    """`keep` neighbours an item; `shrink` takes away from likenesses that few people vouch for."""
    likeness = log.once(("neighbours", keep, shrink, bm25), lambda: _likeness(log, keep, shrink, bm25))
    return Similarities(log.matrix(decay), likeness)


def _likeness(log: Log, keep: int, shrink: float, bm25: bool) -> sp.csr_matrix:
    taken = log.matrix()
    weighted = _bm25(taken, log.holders) if bm25 else taken
    takers = sp.csr_matrix(weighted.T)
    lengths = np.sqrt(np.bincount(weighted.indices, weighted.data**2, minlength=log.item_count)).astype(np.float32)

    def rows(some: Keys) -> sp.csr_matrix:
        products = takers[some] @ weighted
        own = np.repeat(lengths[some], np.diff(products.indptr))
        products.data /= own * lengths[products.indices] + np.float32(shrink) + _TINY
        return products

    return strongest(rows, worth_comparing(log.holders), log.item_count, keep)


def _bm25(taken: sp.csr_matrix, holders: Keys) -> sp.csr_matrix:
    counts = np.diff(taken.indptr).astype(np.float32)
    people = taken.shape[0]
    rarity: Floats = np.log1p((people - holders + 0.5) / (holders + 0.5)).astype(np.float32)
    saturation = (_K1 + 1) / (_K1 * (1 - _B + _B * counts / max(float(counts.mean()), 1e-9)) + 1)
    return sp.csr_matrix(sp.diags(np.sqrt(saturation).astype(np.float32)) @ taken @ sp.diags(rarity))
