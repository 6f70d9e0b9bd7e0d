"""EASE: the best linear map from what people have to what they have, no item explaining itself, in closed form.

H. Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019. Where people are fewer than items the same
map is had from a people × people system, over all items.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
from scipy.linalg import lapack

from services.recommend.domain.challengers.log import Contender, Floats, Keys, Log

MOST_ITEMS: Final = 8_000  # items × items × 4 bytes, three times while it is fitted: 0.8 GB at most
_MOST_PEOPLE: Final = 8_000
_BLOCK: Final = 4_096


@dataclass(frozen=True)
class Primal:
    """`profiles` people × items, `weights` over the `items` that take part; the others have scores of 0."""

    profiles: sp.csr_matrix
    weights: Floats
    items: Keys

    def scores(self, people: Keys) -> Floats:
        """See Contender."""
        found = np.zeros((len(people), self.profiles.shape[1]), dtype=np.float32)
        found[:, self.items] = self.profiles[people][:, self.items] @ self.weights
        return found


@dataclass(frozen=True)
class Dual:
    """`taken` people × items; `inverse` of its people's Gramian; `own` one an item: what it does not explain."""

    profiles: sp.csr_matrix
    taken: sp.csr_matrix
    inverse: Floats
    own: Floats

    def scores(self, people: Keys) -> Floats:
        """See Contender."""
        have = self.profiles[people]
        found: Floats = ((have @ self.taken.T).toarray() @ self.inverse) @ self.taken / self.own
        rows, columns = np.repeat(np.arange(len(people)), np.diff(have.indptr)), have.indices
        found[rows, columns] += have.data * (1 - 1 / self.own[columns])
        return found


def fit(log: Log, regularization: float = 300.0, decay: float = 1.0, most_items: int = MOST_ITEMS) -> Contender:
    """Over the most taken items, `most_items` of them. Raises ValueError where the data are degenerate."""
    taken, profiles = log.matrix(), log.matrix(decay)
    if log.person_count <= min(log.item_count, _MOST_PEOPLE):
        return Dual(profiles, taken, *log.once(("ease", regularization), lambda: _dual(taken, regularization)))
    items = np.sort(np.argsort(-log.holders, kind="stable")[:most_items])
    weights = log.once(("ease", regularization, most_items), lambda: weights_of(taken[:, items], regularization))
    return Primal(profiles, weights, items)


def weights_of(taken: sp.csr_matrix, regularization: float) -> Floats:
    """Items × items: how much having one speaks for the other. Raises ValueError where the data are degenerate."""
    inverse = _inverse(taken.T @ taken, regularization)
    weights: Floats = np.divide(inverse, -np.diag(inverse), out=inverse)
    np.fill_diagonal(weights, 0)
    return weights


def _dual(taken: sp.csr_matrix, regularization: float) -> tuple[Floats, Floats]:
    inverse = _inverse(taken @ taken.T, regularization)
    takers = sp.csr_matrix(taken.T)
    explained = np.zeros(taken.shape[1], dtype=np.float32)
    for start in range(0, taken.shape[1], _BLOCK):
        some = takers[start : start + _BLOCK]
        explained[start : start + _BLOCK] = np.asarray(some.multiply(some @ inverse).sum(axis=1)).ravel()
    return inverse, np.maximum(1 - explained, np.float32(1e-6))


def _inverse(gram: sp.csr_matrix, regularization: float) -> Floats:
    matrix = np.asarray(gram.toarray(order="F"), dtype=np.float32)
    matrix.flat[:: len(matrix) + 1] += np.float32(regularization)
    factor, failed = lapack.spotrf(matrix, lower=1, overwrite_a=1)
    inverse, failed_too = lapack.spotri(factor, lower=1, overwrite_c=1)
    if failed or failed_too:
        raise ValueError("the regularisation is too small for these data")
    for row in range(len(matrix)):  # LAPACK fills one half
        inverse[row, row + 1 :] = inverse[row + 1 :, row]
    return np.asarray(inverse)
