"""Personal frequency: what a person buys most often, later visits counting more."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from services.recommend.domain.challengers.log import Floats, Keys, Log


@dataclass(frozen=True)
class Frequency:
    """`counts` people × items."""

    counts: sp.csr_matrix

    def scores(self, people: Keys) -> Floats:
        """See Contender."""
        found: Floats = np.asarray(self.counts[people].toarray())
        return found


def fit(log: Log, decay: float = 1.0) -> Frequency:
    """`decay`: what each further visit back counts."""
    return Frequency(log.matrix(decay, repeats=True))
