"""RP3beta: where three random steps from a person's items lead, popular ends damped.

B. Paudel et al., "Updatable, Accurate, Diverse, and Scalable Recommendations for Interactive Applications", TiiS 2017.
"""

import numpy as np
import scipy.sparse as sp

from services.recommend.domain.challengers.log import Floats, Log
from services.recommend.domain.challengers.similarities import Similarities, strongest


def fit(log: Log, keep: int = 200, alpha: float = 1.0, beta: float = 0.6, decay: float = 1.0) -> Similarities:
    """`alpha`: the power of each step's probability; `beta`: of how popular the end is, divided by."""
    taken = log.matrix()
    to_items = _steps(taken, alpha)
    to_people = _steps(taken.T.tocsr(), alpha)
    damping = np.maximum(np.bincount(taken.indices, minlength=log.item_count), 1).astype(np.float32) ** -beta

    def rows(part: slice) -> Floats:
        reached: Floats = (to_people[part] @ to_items).toarray()
        return reached * damping[None]

    return Similarities(log.matrix(decay), strongest(rows, log.item_count, keep))


def _steps(taken: sp.csr_matrix, alpha: float) -> sp.csr_matrix:
    counts = np.maximum(np.diff(taken.indptr), 1).astype(np.float32)
    return sp.csr_matrix(sp.diags(counts**-alpha) @ taken)
