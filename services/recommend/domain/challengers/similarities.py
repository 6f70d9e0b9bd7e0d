"""Items like other items, kept sparse: the form of several models, and how they score people."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from services.recommend.domain.challengers.log import Floats, Keys
from services.recommend.domain.ranking import best_of_rows

_FLOATS_A_TIME = 16_000_000
_DENSE = 0.05  # a block with more entries than this share is searched as a dense one


@dataclass(frozen=True)
class Similarities:
    """`profiles` people × items, `likeness` items × items: people's scores are sums over what they have."""

    profiles: sp.csr_matrix
    likeness: sp.csr_matrix

    def scores(self, people: Keys) -> Floats:
        """See Contender."""
        found: Floats = (self.profiles[people] @ self.likeness).toarray()
        return found


def strongest(rows: Callable[[Keys], sp.csr_matrix], chosen: Keys, size: int, keep: int) -> sp.csr_matrix:
    """A size × size matrix of the `keep` largest positive entries of each of the `chosen` rows, itself left out.

    `rows` gives some rows whole, of size columns; 64 MB of them are in memory at a time.
    """
    number = max(1, _FLOATS_A_TIME // max(size, 1))
    parts: list[tuple[Keys, Keys, Floats]] = []
    for start in range(0, len(chosen), number):
        some = chosen[start : start + number]
        found = rows(some)
        if found.nnz > _DENSE * len(some) * size:
            parts.append(_of_dense(found.toarray(), some, keep))
        else:
            parts.append(_of_sparse(found, some, keep))
    if not parts:
        return sp.csr_matrix((size, size), dtype=np.float32)
    lines, columns, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    return sp.csr_matrix((values, (lines, columns)), shape=(size, size), dtype=np.float32)


def _of_dense(block: Floats, some: Keys, keep: int) -> tuple[Keys, Keys, Floats]:
    block[np.arange(len(some)), some] = 0
    columns = best_of_rows(block, keep)
    values = np.take_along_axis(block, columns, axis=1)
    there = values > 0
    return np.broadcast_to(some[:, None], columns.shape)[there], columns[there], values[there]


def _of_sparse(found: sp.csr_matrix, some: Keys, keep: int) -> tuple[Keys, Keys, Floats]:
    """The same without ever having the zeros: most rows of a large catalogue are almost empty."""
    rows = np.repeat(np.arange(len(some)), np.diff(found.indptr))
    able = (found.data > 0) & (found.indices != some[rows])
    rows, columns, values = rows[able], found.indices[able], found.data[able]
    order = np.lexsort((columns, -values, rows))
    first = np.searchsorted(rows, np.arange(len(some)))
    order = order[np.arange(len(order)) - first[rows] < keep]
    return some[rows[order]], columns[order].astype(np.int64), values[order]


def worth_comparing(holders: Keys, fewest: int = 2, most: int = 40_000) -> Keys:
    """Items whose neighbours are looked for: of at least `fewest` people, the `most` most taken."""
    order = np.argsort(-holders, kind="stable")[:most]
    return np.sort(order[holders[order] >= fewest])
