"""How good a ranking is, against what a person really took."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray


def ndcg(ranked: Sequence[int], wanted: Collection[int], k: int) -> float:
    """Normalised discounted cumulative gain of the first `k`, gains 0 or 1 (Järvelin and Kekäläinen 2002)."""
    if not wanted:
        return 0.0
    discounts = _discounts(k)
    gain = sum(float(discounts[place]) for place, item in enumerate(ranked[:k]) if item in wanted)
    return gain / float(discounts[: len(wanted)].sum())


def recall(ranked: Sequence[int], wanted: Collection[int], k: int) -> float:
    """The share of what was wanted that is among the first `k`."""
    return sum(item in wanted for item in ranked[:k]) / len(wanted) if wanted else 0.0


def _discounts(k: int) -> NDArray[np.float64]:
    return 1 / np.log2(np.arange(2, k + 2))
