"""One person's scores of all items, and the best of them: exactly, also where the products come from a quick scan."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import float32
from numpy.typing import NDArray

from services.recommend.domain import scanning
from services.recommend.domain.compiled import ROW, compiled
from services.recommend.domain.ranking import at_least, best, highest
from services.recommend.domain.scanning import Codes

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]

_MORE: Final = 6  # times as many as wanted are scored exactly at first, then as many times more
_MANY: Final = 4_096  # more exact scores than these one by one cost as much as all at once


@dataclass(slots=True)
class Products:
    """A person's factors times those of each item, by item key, each no further from the truth than `bound`.

    `values` may be longer than `item_factors`: newer items are 0. `factors` None: nothing is known, all are 0.
    """

    item_factors: Floats
    factors: Floats | None
    values: Floats
    bound: float = 0.0

    @classmethod
    def of(cls, item_factors: Floats, codes: Codes | None, factors: Floats, size: int) -> "Products":
        """All products with one person's factors: by a scan where there are codes, else exactly."""
        known = min(size, len(item_factors))
        values = np.empty(size, dtype=np.float32)
        values[known:] = 0
        made = cls(item_factors, factors, values)
        if codes is None:
            made.settle()
        else:
            made.bound = scanning.products(codes, factors, values[:known])
        return made

    def settle(self) -> None:
        """Make all of them exact."""
        known = min(len(self.values), len(self.item_factors))
        if self.factors is not None:
            np.matmul(self.item_factors[:known], self.factors, out=self.values[:known])
        self.bound = 0.0

    def highest(self) -> float:
        """The highest product, exactly; at least 0."""
        found = float(highest(self.values))
        if self.bound == 0:
            return found
        near = at_least(self.values, found - 2 * self.bound)
        if len(near) > _MANY:
            self.settle()
            return float(highest(self.values))
        return float(highest(self.exact(near)))

    def exact(self, keys: Keys) -> Floats:
        """The products of these items, exactly."""
        if self.bound == 0 or self.factors is None:
            return self.values[keys]
        known = keys < len(self.item_factors)
        found: Floats = (self.item_factors[np.where(known, keys, 0)] @ self.factors) * known
        return found


@compiled(ROW, float32, ROW)
def weighed(products: Floats, weight: float, lift: Floats) -> Floats:
    """Products times their weight, plus what popularity adds to those items that have one."""
    total = np.empty(len(products), dtype=np.float32)
    known = min(len(products), len(lift))
    for key in range(known):
        total[key] = products[key] * weight + lift[key]
    for key in range(known, len(products)):
        total[key] = products[key] * weight
    return total


@dataclass(slots=True)
class Scores:
    """`total`: `weight` times the products plus what else counts, −inf where an item is blocked."""

    products: Products
    total: Floats
    weight: float

    def best(self, n: int) -> tuple[Keys, Floats]:
        """The n best that are not blocked, best first: their keys and total scores."""
        taken = n if self.products.bound == 0 else max(_MORE * n, 64)
        while True:
            keys = best(self.total, taken)
            if self.products.bound == 0:
                return keys, self.total[keys]
            products = self.products.exact(keys)
            total = self.total[keys] + (products - self.products.values[keys]) * np.float32(self.weight)
            order = np.lexsort((keys, -total))[:n]
            if len(keys) < taken or self._is_settled(float(total[order[-1]]), float(self.total[keys[-1]])):
                return keys[order], total[order]
            taken *= _MORE
            if taken > _MANY:
                self._settle()
                taken = n

    def refine(self, count: int) -> None:
        """Make the best `count` exact, in place; those further down stay as near as a scan brings them."""
        if self.products.bound == 0:
            return
        keys = best(self.total, count)
        exact = self.products.exact(keys)
        self.total[keys] += (exact - self.products.values[keys]) * np.float32(self.weight)
        self.products.values[keys] = exact

    def _is_settled(self, last: float, next_best: float) -> bool:
        """Whether no item further down can really belong above the last of those wanted."""
        return last >= next_best + abs(self.weight) * self.products.bound

    def _settle(self) -> None:
        before = self.products.values.copy()
        self.products.settle()
        self.total += (self.products.values - before) * np.float32(self.weight)
