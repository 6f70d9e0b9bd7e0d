"""Items like other items, kept sparse: the form of several models, and how they score people."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from services.recommend.domain.challengers.log import Floats, Keys

_BLOCK = 512


@dataclass(frozen=True)
class Similarities:
    """`profiles` people × items, `likeness` items × items: people's scores are sums over what they have."""

    profiles: sp.csr_matrix
    likeness: sp.csr_matrix

    def scores(self, people: Keys) -> Floats:
        """See Contender."""
        found: Floats = (self.profiles[people] @ self.likeness).toarray()
        return found


def strongest(rows: Callable[[slice], Floats], size: int, keep: int) -> sp.csr_matrix:
    """A size × size matrix of the `keep` largest positive entries of each row, itself left out.

    `rows` gives some rows whole; 512 are in memory at a time.
    """
    values, columns, counts = [], [], [np.zeros(1, dtype=np.int64)]
    for start in range(0, size, _BLOCK):
        block = rows(slice(start, min(start + _BLOCK, size)))
        numbers = np.arange(len(block))
        block[numbers, start + numbers] = 0
        if keep < size:
            edge = np.partition(block, size - keep, axis=1)[:, size - keep, None]
            block[block < edge] = 0
        found = sp.csr_matrix(np.maximum(block, 0))
        found.eliminate_zeros()
        values.append(found.data)
        columns.append(found.indices)
        counts.append(np.diff(found.indptr))
    pointers = np.cumsum(np.concatenate(counts))
    parts = np.concatenate(values or [np.empty(0)]), np.concatenate(columns or [np.empty(0, dtype=int)]), pointers
    return sp.csr_matrix(parts, shape=(size, size), dtype=np.float32)
