"""Folding a person into a fitted model: one step of alternating least squares, for one row, solved exactly."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

Floats = NDArray[np.float32]


class Base(NamedTuple):
    """What every fold-in starts from: YᵀY + λI and its inverse (factors × factors)."""

    matrix: Floats
    inverse: Floats


def base_of(item_factors: Floats, regularization: float) -> Base:
    """The base of these factors."""
    inner = item_factors.T @ item_factors
    matrix = (inner + regularization * np.eye(inner.shape[0])).astype(np.float32)
    return Base(matrix, np.linalg.pinv(matrix.astype(np.float64), hermitian=True).astype(np.float32))


def fold_in(item_factors: Floats, base: Base, items: NDArray[np.int64], affinity: Floats, alpha: float) -> Floats:
    """The factors of a person with these affinities: solves (YᵀY + λI + Yᵀ(C − I)Y) x = YᵀC p exactly.

    The same as implicit's recalculate_user, without its loop in Python. Few items are a small change of the base, whose
    inverse is known: then the system that is solved is items × items (Woodbury's identity).
    """
    chosen = item_factors[items]
    confidence = np.float32(alpha) * affinity
    if 2 * len(items) < len(base.matrix):
        reached = chosen @ base.inverse
        small = (reached @ chosen.T) * (confidence - 1)[:, None]
        small.flat[:: len(items) + 1] += 1
        _, _, weights, failed = lapack.sgesv(small, confidence, overwrite_a=True)
        if not failed:
            person: Floats = weights @ reached
            return person
    left = base.matrix + (chosen.T * (confidence - 1)) @ chosen
    # Symmetric and positive definite: Cholesky. The transpose is the same matrix in the order LAPACK wants.
    _, solved, failed = lapack.sposv(left.T, confidence @ chosen, overwrite_a=True)
    return solved.ravel() if not failed else np.linalg.solve(left, confidence @ chosen)
