"""What is wanted more now than usual: two windows that decay, one short and one long."""

from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from services.recommend.domain.histories import History
from services.recommend.domain.parameters import kind_weights

NOW_DAYS: Final = 2.0  # half-lives
USUAL_DAYS: Final = 28.0
_WEIGHTS: Final = kind_weights()


def trending(history: History, people: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
    """Per item in [0, 1] how far demand of late is above what it usually is, in standard deviations of chance.

    0: not above. The usual is scaled by how busy the shop is in all, so that a busy day makes no trend. A person counts
    at most once: nobody makes a trend alone.
    """
    now, usual = (_demand(history, days, people) for days in (NOW_DAYS, USUAL_DAYS))
    expected = usual * (now.sum() / max(usual.sum(), 1e-12))
    above = np.maximum((now - expected) / np.sqrt(expected + 1), 0)
    highest = above.max(initial=0)
    trend: NDArray[np.float32] = (above / highest if highest > 0 else above).astype(np.float32)
    return trend


def _demand(history: History, half_life: float, people: NDArray[np.int64] | None) -> NDArray[np.float64]:
    lines = history.lines
    weights = np.maximum(_WEIGHTS[lines.kinds], 0) * np.exp2(-np.maximum(lines.ages, 0) / np.float32(half_life))
    interest = sp.csr_matrix((weights, (history.people, lines.keys)), shape=history.shape)
    if people is not None:
        interest = interest[people]
    np.minimum(interest.data, 1, out=interest.data)
    return np.asarray(interest.sum(axis=0), dtype=np.float64).ravel()
