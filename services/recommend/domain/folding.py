"""Folding a person into a fitted model: one step of alternating least squares, for one row, solved exactly."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

Floats = NDArray[np.float32]


def gram(item_factors: Floats, regularization: float) -> Floats:
    """YᵀY + λI, which every fold-in starts from (factors × factors)."""
    inner = item_factors.T @ item_factors
    return (inner + regularization * np.eye(inner.shape[0])).astype(np.float32)


def fold_in(item_factors: Floats, base: Floats, items: NDArray[np.int64], affinity: Floats, alpha: float) -> Floats:
    """The factors of a person with these affinities: solves (YᵀY + λI + Yᵀ(C − I)Y) x = YᵀC p exactly.

    `base` from gram(). The same as implicit's recalculate_user, without its loop in Python.
    """
    chosen = item_factors[items]
    confidence = np.float32(alpha) * affinity
    left = base + (chosen.T * (confidence - 1)) @ chosen
    # Symmetric and positive definite: Cholesky. The transpose is the same matrix in the order LAPACK wants.
    _, person, failed = lapack.sposv(left.T, confidence @ chosen, overwrite_a=True)
    return person.ravel() if not failed else np.linalg.solve(left, confidence @ chosen)
