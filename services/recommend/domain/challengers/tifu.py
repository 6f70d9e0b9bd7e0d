"""TIFU-KNN: decayed vectors of repeated purchases, and those of the people most like one.

H. Hu et al., "Modeling Personalized Item Frequency Information for Next-basket Recommendation", SIGIR 2020.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp

from services.recommend.domain.challengers.log import Floats, Keys, Log
from services.recommend.domain.ranking import best_of_rows

_MOST_NEIGHBOURS: Final = 20_000  # people among whom the nearest are looked for
_PEOPLE_A_TIME: Final = 256


@dataclass(frozen=True)
class Tifu:
    """`own` people × items; `among` the people who may be a neighbour; `share` of one's own."""

    own: sp.csr_matrix
    among: Keys
    neighbours: int
    share: float

    def scores(self, people: Keys) -> Floats:
        """See Contender."""
        found = np.empty((len(people), self.own.shape[1]), dtype=np.float32)
        others = self.own[self.among]
        squares = np.asarray(others.multiply(others).sum(axis=1), dtype=np.float32).ravel()
        for start in range(0, len(people), _PEOPLE_A_TIME):
            some = people[start : start + _PEOPLE_A_TIME]
            mean = self._nearest(some, others, squares) @ others
            mixed = self.own[some] * np.float32(self.share) + mean * np.float32(1 - self.share)
            found[start : start + len(some)] = mixed.toarray()
        return found

    def _nearest(self, people: Keys, others: sp.csr_matrix, squares: Floats) -> sp.csr_matrix:
        """People × those who may be a neighbour: 1 / count at the nearest by Euclidean distance, oneself left out."""
        closeness = 2 * (self.own[people] @ others.T).toarray() - squares
        closeness[people[:, None] == self.among[None]] = -np.inf
        chosen = best_of_rows(closeness, min(self.neighbours, max(len(self.among) - 1, 0)))
        count = chosen.shape[1]
        values = np.full(chosen.size, 1 / max(count, 1), dtype=np.float32)
        pointers = np.arange(len(people) + 1) * count
        return sp.csr_matrix((values, chosen.ravel(), pointers), shape=closeness.shape)


def fit(
    log: Log, group: int = 7, within: float = 0.9, between: float = 0.7, neighbours: int = 300, share: float = 0.7
) -> Tifu:
    """Visits in groups of `group` from the last back: decay `within` a group, and `between` groups.

    Neighbours are looked for among at most 20,000 people, evenly spread: memory and time are bounded.
    """
    own = _vectors(log, group, within, between)
    able = np.flatnonzero(np.diff(own.indptr))
    if len(able) > _MOST_NEIGHBOURS:
        able = able[np.linspace(0, len(able) - 1, _MOST_NEIGHBOURS).astype(np.int64)]
    return Tifu(own, able, neighbours, share)


def _vectors(log: Log, group: int, within: float, between: float) -> sp.csr_matrix:
    groups, place = np.divmod(log.since, group)
    sizes = np.maximum(np.minimum(group, log.last_visits[log.people] + 1 - groups * group), 1)
    counts = log.last_visits[log.people] // group + 1
    weights = np.power(within, place) / sizes * np.power(between, groups) / counts
    cells = sp.coo_matrix(
        (weights.astype(np.float32), (log.people, log.items)), shape=(log.person_count, log.item_count)
    )
    return sp.csr_matrix(cells)
