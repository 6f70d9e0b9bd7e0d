"""All scores of customers, against a basis: what the shop's customers were like at the last full computation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.segmentation.domain import lifecycle, rfm
from services.segmentation.domain.lifecycle import Gaps
from services.segmentation.domain.rfm import Scale

QUINTILES: Final = (0.2, 0.4, 0.6, 0.8)
# Spend is scored in a currency only where there are this many to compare with.
MIN_BUYERS: Final = 10

# The columns of a customer that scores are made of, in the order score() takes them.
INPUTS: Final = (
    *("customer_id", "currency", "orders", "net_spend_minor", "recency_days"),
    *("order_days", "mean_gap_days", "last_gap_days", "previous_gap_days"),
)


@dataclass(frozen=True)
class Basis:
    """Scales and gaps. Money has a scale per currency: amounts of two currencies are never compared."""

    recency: Scale
    frequency: Scale
    monetary: Mapping[str, Scale]
    gaps: Gaps

    def as_json(self) -> dict[str, Any]:
        """What from_json() reads."""
        return {
            "recency": self.recency.as_json(),
            "frequency": self.frequency.as_json(),
            "monetary": {currency: one.as_json() for currency, one in self.monetary.items()},
            "gaps": self.gaps.as_json(),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Basis":
        """A basis as it was stored."""
        return cls(
            Scale.from_json(stored["recency"]),
            Scale.from_json(stored["frequency"]),
            {currency: Scale.from_json(one) for currency, one in stored["monetary"].items()},
            Gaps.from_json(stored["gaps"]),
        )


@dataclass(frozen=True)
class Spread:
    """Quintiles and the largest of the values of one measure, and how many buyers they are of."""

    quintiles: Sequence[float]
    largest: float
    buyers: int


def basis(frequency: Spread, monetary: Mapping[str, Spread], gaps: Gaps) -> Basis:
    """The basis of a population of buyers; spend is given per currency."""
    return Basis(
        rfm.recency_scale(gaps.at(0.5), gaps.at(0.8), gaps.at(0.95)),
        rfm.scale(frequency.quintiles, frequency.largest),
        {
            currency: rfm.scale(one.quintiles, one.largest)
            for currency, one in monetary.items()
            if one.buyers >= MIN_BUYERS
        },
        gaps,
    )


def score(rows: Sequence[tuple[Any, ...]], against: Basis) -> list[tuple[Any, ...]]:
    """(customer_id, r, f, m, cell, stage, silence) for rows of INPUTS. None throughout for who has no orders.

    The monetary score, and so the cell, is None in a currency with fewer than MIN_BUYERS.
    """
    if not rows:
        return []
    customers, currencies, *columns = zip(*rows, strict=True)
    orders, money, recency, days, mean_gap, last_gap, previous_gap = (
        np.array(one, dtype=np.float64) for one in columns
    )
    own_rhythm = lifecycle.rhythm(mean_gap, np.maximum(days - 1, 0), against.gaps)
    buys = orders > 0
    r = against.recency.score(recency)
    f = against.frequency.score(orders)
    m = _monetary(currencies, money, against)
    cell = rfm.cells(r, f, m)
    stage = lifecycle.stages(days, recency, mean_gap, last_gap, previous_gap, against.gaps)
    quiet = lifecycle.silence(recency, own_rhythm, against.gaps)
    valued = buys & (m > 0)
    return list(
        zip(
            customers,
            _known(r, buys),
            _known(f, buys),
            _known(m, valued),
            _known(cell, valued),
            stage.tolist(),
            _known(np.round(quiet, 2), buys),
            strict=True,
        )
    )


def _monetary(currencies: Sequence[str], money: NDArray[np.float64], against: Basis) -> NDArray[np.int64]:
    """Scores of net spend; 0 in a currency without a scale."""
    codes = np.array(currencies, dtype=object)
    found = np.zeros(money.shape, dtype=np.int64)
    for currency, one in against.monetary.items():
        mine = codes == currency
        found[mine] = one.score(money[mine])
    return found


def _known(values: NDArray[Any], known: NDArray[np.bool_]) -> list[Any]:
    return [value if is_known else None for value, is_known in zip(values.tolist(), known.tolist(), strict=True)]
