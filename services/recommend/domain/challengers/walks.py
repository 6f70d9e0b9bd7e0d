"""RP3beta: where three random steps from a person's items lead, popular ends damped.

B. Paudel et al., "Updatable, Accurate, Diverse, and Scalable Recommendations for Interactive Applications", TiiS 2017.
"""

import numpy as np
import scipy.sparse as sp

from services.recommend.domain.challengers.log import Keys, Log
from services.recommend.domain.challengers.similarities import Similarities, strongest, worth_comparing


def fit(log: Log, keep: int = 100, alpha: float = 1.0, beta: float = 0.6, decay: float = 1.0) -> Similarities:
    """`alpha`: the power of each step's probability; `beta`: of how popular the end is, divided by."""
    likeness = log.once(("walks", keep, alpha, beta), lambda: likeness_of(log.matrix(), keep, alpha, beta))
    return Similarities(log.matrix(decay), likeness)


def likeness_of(taken: sp.csr_matrix, keep: int, alpha: float, beta: float) -> sp.csr_matrix:
    """Items × items, from people × items, whose entries weigh the steps."""
    to_items, to_people = _steps(taken, alpha), _steps(taken.T.tocsr(), alpha)
    holders = np.bincount(taken.indices, minlength=taken.shape[1])
    damping = np.maximum(holders, 1).astype(np.float32) ** -beta

    def rows(some: Keys) -> sp.csr_matrix:
        reached = to_people[some] @ to_items
        reached.data *= damping[reached.indices]
        return reached

    return strongest(rows, worth_comparing(holders, fewest=1), taken.shape[1], keep)


def _steps(taken: sp.csr_matrix, alpha: float) -> sp.csr_matrix:
    counts = np.maximum(np.diff(taken.indptr), 1).astype(np.float32)
    return sp.csr_matrix(sp.diags(counts**-alpha) @ taken)
