"""Implicit alternating least squares: fitting in the trainer, folding in one person when serving.

Y. Hu, Y. Koren, C. Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008.
"""

import numpy as np
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares
from numpy.typing import NDArray
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
    people, items = model.user_factors, model.item_factors
    items[np.diff(affinity.tocsc().indptr) == 0] = 0
    return people, items


def gram(item_factors: Floats, regularization: float) -> NDArray[np.float64]:
    """YᵀY + λI, which every fold-in starts from (factors × factors)."""
    inner = item_factors.T @ item_factors
    return (inner + regularization * np.eye(inner.shape[0])).astype(np.float64)


def fold_in(
    item_factors: Floats, base: NDArray[np.float64], items: NDArray[np.int64], affinity: Floats, alpha: float
) -> Floats:
    """The factors of a person with these affinities: solves (YᵀY + λI + Yᵀ(C − I)Y) x = YᵀC p exactly.

    `base` from gram(). The same as implicit's recalculate_user, without its loop in Python.
    """
    chosen = item_factors[items].astype(np.float64)
    confidence = alpha * affinity.astype(np.float64)
    left = base + (chosen.T * (confidence - 1)) @ chosen
    return np.linalg.solve(left, chosen.T @ confidence).astype(np.float32)
