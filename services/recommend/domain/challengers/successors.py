"""What came next: from a person's latest items to those that others took soon after them."""

import numpy as np
import scipy.sparse as sp

from services.recommend.domain.challengers.log import Log
from services.recommend.domain.challengers.similarities import Similarities


def fit(log: Log, reach: int = 3, beta: float = 0.3, decay: float = 0.6) -> Similarities:
    """Pairs of visits up to `reach` apart count 1 / distance; `beta`: the power of how often the later item is taken.

    `decay`: what each further visit back counts for the person who is scored.
    """
    after = log.once(("after", reach), lambda: _after(log, reach))
    often = np.maximum(np.bincount(log.items, minlength=log.item_count), 1).astype(np.float32)
    likeness = sp.csr_matrix(sp.diags(1 / often) @ after @ sp.diags(often**-beta))
    return Similarities(log.matrix(decay), likeness)


def _after(log: Log, reach: int) -> sp.csr_matrix:
    """Items × items: how often, and how soon, one was taken after the other."""
    size = log.item_count
    visits = np.cumsum(np.concatenate([[0], (np.diff(log.people) != 0) | (np.diff(log.visits) != 0)]))[: len(log)]
    count = int(visits[-1]) + 1 if len(log) else 0
    taken = sp.csr_matrix((np.ones(len(log), dtype=np.float32), (visits, log.items)), shape=(count, size))
    taken.data[:] = 1
    people = np.zeros(count, dtype=np.int64)
    people[visits] = log.people
    later = sp.csr_matrix(taken.shape, dtype=np.float32)
    for distance in range(1, min(reach, count - 1) + 1):
        same = (people[distance:] == people[:-distance]).astype(np.float32) / distance
        moved = sp.diags(same) @ taken[distance:]
        later = later + sp.vstack([moved, sp.csr_matrix((distance, size), dtype=np.float32)], format="csr")
    return sp.csr_matrix(taken.T @ later)
