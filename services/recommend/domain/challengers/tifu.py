"""TIFU-KNN: decayed vectors of repeated purchases, and those of the people most like one.

H. Hu et al., "Modeling Personalized Item Frequency Information for Next-basket Recommendation", SIGIR 2020.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp

from services.recommend.domain.challengers.log import Floats, Keys, Log

_BLOCK: Final = 256


@dataclass(frozen=True)
class Tifu:
    """`own` people × items, `others` the same: the mean of the nearest; `share` of one's own."""

    own: sp.csr_matrix
    nearest: sp.csr_matrix
    share: float

    def scores(self, people: Keys) -> Floats:
        """See Contender."""
        mine, others = self.own[people], self.nearest[people] @ self.own
        found: Floats = (mine * np.float32(self.share) + others * np.float32(1 - self.share)).toarray()
        return found


def fit(
    log: Log, group: int = 7, within: float = 0.9, between: float = 0.7, neighbours: int = 300, share: float = 0.7
) -> Tifu:
    """Visits in groups of `group` from the last back: decay `within` a group, and `between` groups."""
    own = _vectors(log, group, within, between)
    return Tifu(own, _nearest(own, min(neighbours, max(log.person_count - 1, 0))), share)


def _vectors(log: Log, group: int, within: float, between: float) -> sp.csr_matrix:
    groups, place = np.divmod(log.since, group)
    sizes = np.maximum(np.minimum(group, log.last_visits[log.people] + 1 - groups * group), 1)
    counts = log.last_visits[log.people] // group + 1
    weights = np.power(within, place) / sizes * np.power(between, groups) / counts
    cells = sp.coo_matrix(
        (weights.astype(np.float32), (log.people, log.items)), shape=(log.person_count, log.item_count)
    )
    return sp.csr_matrix(cells)


def _nearest(own: sp.csr_matrix, count: int) -> sp.csr_matrix:
    """People × people: 1 / count at the nearest by Euclidean distance."""
    squares = np.asarray(own.multiply(own).sum(axis=1), dtype=np.float32).ravel()
    rows, columns = [], []
    for start in range(0, own.shape[0] if count else 0, _BLOCK):
        part = slice(start, min(start + _BLOCK, own.shape[0]))
        distances = squares[None] - 2 * (own[part] @ own.T).toarray()
        numbers = np.arange(len(distances))
        distances[numbers, start + numbers] = np.inf
        found = np.argpartition(distances, count - 1, axis=1)[:, :count]
        rows.append(np.repeat(start + numbers, count))
        columns.append(found.ravel())
    if not rows:
        return sp.csr_matrix((own.shape[0], own.shape[0]), dtype=np.float32)
    data = np.full(sum(map(len, rows)), 1 / count, dtype=np.float32)
    return sp.csr_matrix((data, (np.concatenate(rows), np.concatenate(columns))), shape=(own.shape[0],) * 2)
