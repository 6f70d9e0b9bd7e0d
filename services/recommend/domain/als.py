"""Implicit alternating least squares, as the trainer fits it. Who serves needs folding.py only.

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
    return model.user_factors, model.item_factors


def regularization(affinity: sp.csr_matrix, strength: float) -> float:
    """λ in proportion to how much there is to fit: `strength` times the mean mass of affinity of an item.

    At most a tenth of √entries: a matrix of few entries has no larger singular values, and all factors would vanish.
    """
    touched = np.count_nonzero(np.bincount(affinity.indices, minlength=1))
    if touched == 0:
        return 1.0
    return float(min(strength * affinity.data.sum(dtype=np.float64) / touched, 0.1 * np.sqrt(affinity.nnz)))
