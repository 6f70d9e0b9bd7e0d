"""People like one: what those whose items are most like one's own took lately, by cosine.

J. Herlocker et al., SIGIR 1999, for who took what.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp

from services.recommend.domain.challengers.log import Floats, Keys, Log
from services.recommend.domain.ranking import best_of_rows

_MOST_NEIGHBOURS: Final = 20_000  # people among whom those alike are looked for
_PEOPLE_A_TIME: Final = 256


@dataclass(frozen=True)
class Alike:
    """`lengths` people × items, each row of length 1; `lent` what each gives to others; `among` who may give."""

    lengths: sp.csr_matrix
    lent: sp.csr_matrix
    among: Keys
    neighbours: int
    power: float

    def scores(self, people: Keys) -> Floats:
        """See Contender."""
        found = np.zeros((len(people), self.lengths.shape[1]), dtype=np.float32)
        others, lent = self.lengths[self.among].T.tocsr(), self.lent[self.among]
        for start in range(0, len(people), _PEOPLE_A_TIME):
            some = people[start : start + _PEOPLE_A_TIME]
            cosines = (self.lengths[some] @ others).toarray()
            cosines[some[:, None] == self.among[None]] = 0
            chosen = best_of_rows(cosines, min(self.neighbours, len(self.among)))
            weights = np.take_along_axis(cosines, chosen, axis=1) ** self.power
            pointers = np.arange(len(some) + 1) * chosen.shape[1]
            near = sp.csr_matrix((weights.ravel(), chosen.ravel(), pointers), shape=cosines.shape)
            found[start : start + len(some)] = (near @ lent).toarray()
        return found


def fit(log: Log, neighbours: int = 200, half_life: float | None = None, power: float = 1.0) -> Alike:
    """`half_life` in days of what they lend; `power` of the cosine.

    They are looked for among at most 20,000 people, evenly spread: memory and time are bounded.
    """
    taken = log.matrix()
    counts = np.diff(taken.indptr)
    rarity = np.log((1 + log.person_count) / (1 + log.holders)).astype(np.float32)
    weighted = sp.csr_matrix(taken @ sp.diags(rarity))
    squares = np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel()
    lengths = sp.csr_matrix(sp.diags((1 / np.sqrt(np.maximum(squares, 1e-9))).astype(np.float32)) @ weighted)
    able = np.flatnonzero(counts)
    if len(able) > _MOST_NEIGHBOURS:
        able = able[np.linspace(0, len(able) - 1, _MOST_NEIGHBOURS).astype(np.int64)]
    lent = taken if half_life is None else log.recent(half_life)
    return Alike(lengths, lent, able, neighbours, power)
