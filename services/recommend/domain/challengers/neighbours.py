"""Item neighbours: items that the same people took, by shrunk cosine, or by BM25's weights.

B. Sarwar et al., WWW 2001. BM25's weights as in S. Robertson and H. Zaragoza 2009, people in the place of documents.
"""

import numpy as np
import scipy.sparse as sp

from services.recommend.domain.challengers.log import Floats, Log
from services.recommend.domain.challengers.similarities import Similarities, strongest

_K1, _B = 1.2, 0.75


def fit(log: Log, keep: int = 200, shrink: float = 10.0, bm25: bool = False, decay: float = 1.0) -> Similarities:
    """`keep` neighbours an item; `shrink` takes away from likenesses that few people vouch for."""
    taken = log.matrix()
    weighted = _bm25(taken) if bm25 else taken
    columns = weighted.tocsc()
    lengths = np.sqrt(np.asarray(columns.multiply(columns).sum(axis=0), dtype=np.float32)).ravel()

    def rows(part: slice) -> Floats:
        products: Floats = (columns[:, part].T @ weighted).toarray()
        return products / (lengths[part, None] * lengths[None] + np.float32(shrink) + np.float32(1e-9))

    return Similarities(log.matrix(decay), strongest(rows, log.item_count, keep))


def _bm25(taken: sp.csr_matrix) -> sp.csr_matrix:
    counts = np.diff(taken.indptr).astype(np.float32)
    people = taken.shape[0]
    holders = np.bincount(taken.indices, minlength=taken.shape[1])
    rarity = np.log1p((people - holders + 0.5) / (holders + 0.5)).astype(np.float32)
    saturation = (_K1 + 1) / (_K1 * (1 - _B + _B * counts / max(float(counts.mean()), 1e-9)) + 1)
    return sp.csr_matrix(sp.diags(np.sqrt(saturation).astype(np.float32)) @ taken @ sp.diags(rarity))
