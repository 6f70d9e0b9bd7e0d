"""Where a customer stands: new, active, cooling, at risk, lost or won back, by their own rhythm of buying.

A rhythm is how a customer's gaps between order days compare with the shop's: the mean of their own gaps, drawn
towards the shop's mean by two gaps' weight (a customer with one order has the shop's rhythm). The shop's gap
quantiles, stretched by it, say how long such a customer is usually silent:

    up to P80 of such gaps: active (new, with a single order day) · P95: cooling · twice P95: at risk · beyond: lost

Won back: the last order ended a silence that was already a loss by the rhythm before it, and they are active since.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

STAGES: Final = ("new", "active", "cooling", "at_risk", "lost", "won_back")

PRIOR_GAPS: Final = 2.0
QUANTILES: Final = tuple(round(0.01 * step, 2) for step in range(1, 100))
# Nobody is called away after a long weekend, however often they usually come.
_SHORTEST: Final = {"cooling": 7.0, "at_risk": 14.0, "lost": 30.0}
# A shop with hardly any repeat orders yet: a month's rhythm, until it has its own.
MIN_GAPS: Final = 30
_UNKNOWN_MEAN: Final = 30.0


@dataclass(frozen=True)
class Gaps:
    """The shop's gaps between order days: their number, mean, and quantiles at QUANTILES, in days."""

    count: int
    mean: float
    quantiles: tuple[float, ...]

    @classmethod
    def observed(cls, count: int, mean: float | None, quantiles: Sequence[float] | None) -> "Gaps":
        """The gaps of a shop; with fewer than MIN_GAPS those of an exponential of 30 days' mean, and a count of 0."""
        if count < MIN_GAPS or mean is None or quantiles is None:
            return cls(0, _UNKNOWN_MEAN, tuple(float(-_UNKNOWN_MEAN * np.log(1 - q)) for q in QUANTILES))
        return cls(count, float(mean), tuple(float(value) for value in quantiles))

    def at(self, quantile: float) -> float:
        """The gap that this share of gaps does not exceed."""
        return self.quantiles[QUANTILES.index(quantile)]

    def as_json(self) -> dict[str, Any]:
        """What from_json() reads."""
        return {"count": self.count, "mean": self.mean, "quantiles": list(self.quantiles)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Gaps":
        """Gaps as they were stored."""
        return cls(stored["count"], stored["mean"], tuple(stored["quantiles"]))


def rhythm(mean_gap: NDArray[np.float64], gaps: NDArray[np.float64], shop: Gaps) -> NDArray[np.float64]:
    """How the gaps of a customer compare with the shop's (1: the same, 2: twice as long); mean_gap NaN: none."""
    own = np.where(np.isnan(mean_gap), 0.0, mean_gap) * gaps
    return np.asarray((own + PRIOR_GAPS * shop.mean) / ((gaps + PRIOR_GAPS) * shop.mean))


def stages(
    order_days: NDArray[np.float64],
    recency: NDArray[np.float64],
    mean_gap: NDArray[np.float64],
    last_gap: NDArray[np.float64],
    previous_gap: NDArray[np.float64],
    shop: Gaps,
) -> NDArray[np.object_]:
    """The stage of each customer, all arguments in days, NaN where there is no such gap; None without an order.

    `previous_gap` is the mean of the gaps before the last one.
    """
    now = rhythm(mean_gap, np.maximum(order_days - 1, 0), shop)
    before = rhythm(previous_gap, np.maximum(order_days - 2, 0), shop)
    cooling = np.maximum(shop.at(0.8) * now, _SHORTEST["cooling"])
    at_risk = np.maximum(shop.at(0.95) * now, _SHORTEST["at_risk"])
    lost = np.maximum(2 * shop.at(0.95) * now, _SHORTEST["lost"])
    returned = np.nan_to_num(last_gap) > np.maximum(2 * shop.at(0.95) * before, _SHORTEST["lost"])
    conditions = [order_days == 0, recency > lost, recency > at_risk, recency > cooling, order_days == 1, returned]
    names: list[str | None] = [None, "lost", "at_risk", "cooling", "new", "won_back"]
    return np.select(conditions, [np.full(recency.shape, name, dtype=object) for name in names], default="active")


def silence(recency: NDArray[np.float64], own_rhythm: NDArray[np.float64], shop: Gaps) -> NDArray[np.float64]:
    """The share of such a customer's gaps that are shorter than the present silence, 0 to 0.99 (NaN without orders)."""
    scaled = recency / own_rhythm
    share = np.searchsorted(np.asarray(shop.quantiles), scaled, side="left") / 100
    return np.where(np.isnan(recency), np.nan, share)
