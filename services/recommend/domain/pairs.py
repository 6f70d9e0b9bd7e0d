"""Items bought together: how much more often than by chance, with the interval of that."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from services.recommend.domain.histories import History
from services.recommend.domain.interactions import Kind

FEWEST: Final = 10  # orders with both: fewer tell nothing
KEPT: Final = 50  # partners of an item, the surest first
LARGEST_BASKET: Final = 100  # an order of more is a stock-up: everything goes with everything
_Z: Final = 1.96
_ROWS: Final = 256


@dataclass(frozen=True)
class Pairs:
    """The partners of item `key` are `items[starts[key]:starts[key + 1]]`, the surest first.

    `lifts`: a row for each, the lift (1: chance) and the ends of its 95 % interval.
    """

    starts: NDArray[np.int64]
    items: NDArray[np.int32]
    lifts: NDArray[np.float32]

    @classmethod
    def none(cls) -> "Pairs":
        """Of no items."""
        return cls(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty((0, 3), np.float32))

    def of(self, key: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The partners of an item, and for each the lower end of its lift: above 1."""
        if key + 1 >= len(self.starts):
            return self.items[:0], self.lifts[:0, 1]
        part = slice(self.starts[key], self.starts[key + 1])
        return self.items[part], self.lifts[part, 1]


def bought_together(history: History) -> Pairs:
    """Pairs in at least ten orders whose lift is surely above 1. An order: what one person bought at one instant.

    Memory: the partners of 256 items at a time.
    """
    baskets = _baskets(history)
    orders, items = baskets.shape
    often = np.asarray(baskets.sum(axis=0)).ravel()
    columns = baskets.tocsc()
    starts, partners, lifts = [np.zeros(1, np.int64)], [], []
    for start in range(0, items, _ROWS):
        block = (columns[:, start : start + _ROWS].T @ baskets).tocoo()
        found = (block.data >= FEWEST) & (block.row + start != block.col)
        rows, others, both = block.row[found], block.col[found], block.data[found].astype(np.float64)
        lift, low, high = _lift(both, often[rows + start], often[others], orders)
        order = np.lexsort((others, -low, rows))
        order = order[(low > 1)[order]]
        place = np.arange(len(order)) - np.searchsorted(rows[order], rows[order])
        order = order[place < KEPT]
        counts = np.bincount(rows[order], minlength=min(_ROWS, items - start))
        starts.append(starts[-1][-1] + np.cumsum(counts))
        partners.append(others[order].astype(np.int32))
        lifts.append(np.stack([lift, low, high], axis=1)[order].astype(np.float32))
    if not partners:
        return Pairs.none()
    return Pairs(np.concatenate(starts), np.concatenate(partners), np.concatenate(lifts))


def _baskets(history: History) -> sp.csr_matrix:
    """Orders × items, ones; the largest orders are left out."""
    lines = history.lines
    bought = lines.kinds == Kind.BOUGHT
    people, items, ages = history.people[bought], lines.keys[bought], lines.ages[bought]
    order = np.lexsort((ages, people))
    people, items, ages = people[order], items[order], ages[order]
    is_new = np.ones(len(people), dtype=bool)
    is_new[1:] = (people[1:] != people[:-1]) | (ages[1:] != ages[:-1])
    number = np.cumsum(is_new) - 1
    count = int(number[-1]) + 1 if len(number) else 0
    baskets = sp.csr_matrix((np.ones(len(items), np.int32), (number, items)), shape=(count, history.item_count))
    baskets.data[:] = 1  # an item on two lines of an order is in it once
    return baskets[np.diff(baskets.indptr) <= LARGEST_BASKET]


def _lift(
    both: NDArray[np.float64], one: NDArray[Any], other: NDArray[Any], orders: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The lift and its interval, by the delta method on its logarithm (all counts from one multinomial)."""
    lift = both * orders / (one.astype(np.float64) * other)
    variance = 1 / both - 1 / one - 1 / other + 2 * both / (one.astype(np.float64) * other) - 1 / max(orders, 1)
    width = np.exp(_Z * np.sqrt(np.maximum(variance, 0)))
    return lift, lift / width, lift * width
