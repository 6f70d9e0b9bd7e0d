"""The best n of many scores, those that are blocked left out."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
BLOCKED = np.float32(-np.inf)


def best(scores: Floats, n: int) -> NDArray[np.int64]:
    """The positions of the `n` highest scores, highest first, ties by position; blocked ones never, so maybe fewer."""
    count = len(scores)
    if n <= 0 or count == 0:
        return np.empty(0, dtype=np.int64)
    if n < count:
        edge = scores[np.argpartition(scores, count - n)[count - n]]
        # The partition takes any of several equals at the edge; the first ones are taken, so that ties are stable.
        above = np.flatnonzero(scores > edge)
        level = np.flatnonzero(scores == edge)[: n - len(above)] if edge > BLOCKED else above[:0]
        top = np.concatenate([above, level])
    else:
        top = np.flatnonzero(scores > BLOCKED)
    return top[np.lexsort((top, -scores[top]))][:n]
