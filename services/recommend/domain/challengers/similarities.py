"""Items like other items, kept sparse: the form of several models, and how they score people."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from services.recommend.domain.challengers.log import Floats, Keys
from services.recommend.domain.ranking import best_of_rows

_FLOATS_A_TIME = 16_000_000


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
        block = rows(some).toarray()
        block[np.arange(len(some)), some] = 0
        columns = best_of_rows(block, keep)
        values = np.take_along_axis(block, columns, axis=1)
        there = values > 0
        parts.append((np.broadcast_to(some[:, None], columns.shape)[there], columns[there], values[there]))
    if not parts:
        return sp.csr_matrix((size, size), dtype=np.float32)
    lines, columns, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    return sp.csr_matrix((values, (lines, columns)), shape=(size, size), dtype=np.float32)


def worth_comparing(holders: Keys, fewest: int = 2, most: int = 60_000) -> Keys:
    """Items whose neighbours are looked for: of at least `fewest` people, the `most` most taken."""
    order = np.argsort(-holders, kind="stable")[:most]
    return np.sort(order[holders[order] >= fewest])
