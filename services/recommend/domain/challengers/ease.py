"""EASE: the best linear map from what people have to what they have, no item explaining itself, in closed form.

H. Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
from scipy.linalg import lapack

from services.recommend.domain.challengers.log import Floats, Keys, Log

MOST_ITEMS: Final = 10_000  # items × items × 4 bytes, three times while it is fitted: 1.2 GB at most


@dataclass(frozen=True)
class Ease:
    """`profiles` people × items, `weights` over the `items` that take part; the others have scores of 0."""

    profiles: sp.csr_matrix
    weights: Floats
    items: Keys

    def scores(self, people: Keys) -> Floats:
        """See Contender."""
        found = np.zeros((len(people), self.profiles.shape[1]), dtype=np.float32)
        found[:, self.items] = self.profiles[people][:, self.items] @ self.weights
        return found


def fit(log: Log, regularization: float = 300.0, decay: float = 1.0, most_items: int = MOST_ITEMS) -> Ease:
    """Over the most taken items, `most_items` of them. Raises ValueError where the data are degenerate."""
    taken = log.matrix()
    counts = np.bincount(taken.indices, minlength=log.item_count)
    items = np.sort(np.argsort(-counts, kind="stable")[:most_items])
    taken = taken[:, items]
    gram = np.asarray((taken.T @ taken).toarray(order="F"), dtype=np.float32)
    gram.flat[:: len(items) + 1] += np.float32(regularization)
    factor, failed = lapack.spotrf(gram, lower=1, overwrite_a=1)
    inverse, failed_too = lapack.spotri(factor, lower=1, overwrite_c=1)
    if failed or failed_too:
        raise ValueError("the regularisation is too small for these data")
    for row in range(len(items)):  # LAPACK fills one half
        inverse[row, row + 1 :] = inverse[row + 1 :, row]
    weights = np.divide(inverse, -np.diag(inverse), out=inverse)
    np.fill_diagonal(weights, 0)
    return Ease(log.matrix(decay), weights, items)
