"""Recency, frequency, monetary value: scores 1-5 against the shop's own customers, and the names of their cells.

Cut points are values, so equal values get equal scores. Where the values are too few for five groups there are
fewer, spread over 1-5. Recency is cut at the shop's own gaps between orders, because "long ago" is what is long for
its customers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

CELLS: Final = (
    "champions",
    "loyal",
    "potential_loyal",
    "new",
    "promising",
    "needs_attention",
    "about_to_sleep",
    "at_risk",
    "cannot_lose",
    "hibernating",
    "lost",
)


@dataclass(frozen=True)
class Scale:
    """Groups of a measure: values up to `cuts[0]`, up to `cuts[1]` …, above the last; `scores` has one more."""

    cuts: tuple[float, ...]
    scores: tuple[int, ...]

    def score(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """The score of each value."""
        return np.asarray(self.scores, dtype=np.int64)[np.searchsorted(self.cuts, values, side="left")]

    def as_json(self) -> dict[str, Any]:
        """What from_json() reads."""
        return {"cuts": list(self.cuts), "scores": list(self.scores)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Scale":
        """A scale as it was stored."""
        return cls(tuple(stored["cuts"]), tuple(stored["scores"]))


def scale(cuts: Sequence[float], largest: float) -> Scale:
    """A scale from cut points (quantiles, possibly repeated) of values that reach up to `largest`."""
    distinct = tuple(sorted({float(cut) for cut in cuts if cut < largest}))
    groups = len(distinct) + 1
    scores = (3,) if groups == 1 else tuple(round(1 + 4 * place / (groups - 1)) for place in range(groups))
    return Scale(distinct, scores)


def recency_scale(median: float, p80: float, p95: float) -> Scale:
    """Days since the last order: 5 up to the median gap of the shop, 4 to P80, 3 to P95, 2 to twice that, 1 beyond."""
    first = max(1.0, median)
    second = max(p80, first + 1)
    third = max(p95, second + 1)
    return Scale((first, second, third, 2 * third), (5, 4, 3, 2, 1))


def cells(r: NDArray[np.int64], f: NDArray[np.int64], m: NDArray[np.int64]) -> NDArray[np.object_]:
    """The named cell of each customer, one of CELLS, from its three scores."""
    value = np.maximum(f, m)
    conditions = [
        (r >= 4) & (f >= 4) & (m >= 4),
        (r <= 2) & (f >= 4) & (m >= 4),
        (r >= 3) & (f >= 4),
        (r <= 2) & (value >= 3),
        (r == 5) & (f == 1),
        (r >= 4) & (value >= 3),
        r >= 4,
        (r == 3) & (value >= 3),
        r == 3,
        r == 2,
    ]
    names = [
        "champions",
        "cannot_lose",
        "loyal",
        "at_risk",
        "new",
        "potential_loyal",
        "promising",
        "needs_attention",
        "about_to_sleep",
        "hibernating",
    ]
    return np.select(conditions, [np.full(r.shape, name, dtype=object) for name in names], default="lost")
