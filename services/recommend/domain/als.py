"""Implicit alternating least squares: fitting in the trainer, folding in one person when serving.

Y. Hu, Y. Koren, C. Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008.
"""

import numpy as np
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares
from numpy.typing import NDArray
from scipy.linalg import lapack
from threadpoolctl import threadpool_limits

from services.recommend.domain.parameters import AlsParameters

Floats = NDArray[np.float32]


class TooLittleData(ValueError):
    """There is nothing to learn from."""


def fit(affinity: sp.csr_matrix, parameters: AlsParameters, threads: int = 0) -> tuple[Floats, Floats]:
    """Factors of people (people × factors) and of items (items × factors) for a people × items matrix of affinities.

    The same matrix and parameters give the same factors. Rows and columns without an entry get zeros.
    `threads` 0: all cores. Raises TooLittleData for a matrix without entries.
    """
    if affinity.nnz == 0:
        raise TooLittleData("there are no interactions with items of the catalogue yet")
    with threadpool_limits(1, "blas"):  # implicit threads over rows; BLAS threads beneath it only get in its way
        model = AlternatingLeastSquares(
            factors=parameters.factors,
            regularization=parameters.regularization,
            alpha=parameters.alpha,
            iterations=parameters.iterations,
            random_state=parameters.random_state,
            num_threads=threads,
            calculate_training_loss=False,
        )
        model.fit(affinity, show_progress=False)
    return model.user_factors, model.item_factors


def regularization(affinity: sp.csr_matrix, strength: float) -> float:
    """λ in proportion to how much there is to fit: `strength` times the mean mass of affinity of an item.

    At most a tenth of √entries: a matrix of few entries has no larger singular values, and all factors would vanish.
    """
    touched = np.count_nonzero(np.bincount(affinity.indices, minlength=1))
    if touched == 0:
        return 1.0
    return float(min(strength * affinity.data.sum(dtype=np.float64) / touched, 0.1 * np.sqrt(affinity.nnz)))


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
