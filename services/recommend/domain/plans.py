"""How an answer is arranged: what was set for a slot or asked for, as item keys."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.expressions import Expression
from services.recommend.domain.strategies import Strategy


@dataclass(frozen=True, slots=True)
class Exclusions:
    """What a person has had to do with and is not shown."""

    bought: bool = True
    bought_within_days: int | None = None
    viewed: bool = False
    in_cart: bool = True


@dataclass(frozen=True, slots=True)
class Boost:
    """Items of `where` have their score multiplied; a factor below 1 buries them."""

    where: Expression
    factor: float


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `most` items with the same category, brand or value of an attribute; those without one are free."""

    by: str
    most: int


@dataclass(frozen=True, slots=True)
class PriceBand:
    """Prices from `low` to `high` times that of the item, the mean of the cart, or the median of what was bought.

    Where there is nothing to measure by, every price will do.
    """

    of: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Promotion:
    """A share of the places for some items (their keys), told by a name."""

    name: str
    share: float
    keys: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Exploration:
    """A share of the places for items of `pool` (keys), by lots that `seed` decides."""

    share: float
    pool: NDArray[np.int64]
    seed: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Strategies in the order in which they fill places, and rules. `pins`: (place from 1, item key).

    `diversity` 0: by score alone; towards 1: the more unlike each other. `words`: items that match all come first.
    """

    chain: tuple[Strategy, ...]
    exclude: Exclusions = Exclusions()
    pins: tuple[tuple[int, int], ...] = ()
    boosts: tuple[Boost, ...] = ()
    quotas: tuple[Quota, ...] = ()
    diversity: float = 0.0
    price_band: PriceBand | None = None
    words: tuple[str, ...] = ()
    promotions: tuple[Promotion, ...] = ()
    exploration: Exploration | None = None
