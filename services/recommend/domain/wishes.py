"""What is asked of a recommendation, and what is answered."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.columns import PRODUCTS
from services.recommend.domain.expressions import ANYWHERE, Circumstances, Expression
from services.recommend.domain.filters import Filter
from services.recommend.domain.plans import Plan
from services.recommend.domain.strategies import Strategy
from services.recommend.domain.tastes import EMPTY, Lines


class Reason(StrEnum):
    """Why an item is in the answer."""

    BUY_AGAIN = "buy_again"
    FOR_YOU = "for_you"
    FITS_CART = "fits_cart"
    SIMILAR = "similar"
    POPULAR = "popular"
    NEW = "new"
    BOUGHT_TOGETHER = "bought_together"
    TRENDING = "trending"
    RECENTLY_VIEWED = "recently_viewed"
    PINNED = "pinned"


class Why(NamedTuple):
    """A reason and what it is about: the key of another item, or in how many days something is due."""

    reason: Reason
    item: int | None = None
    days: float | None = None


@dataclass(frozen=True, slots=True)
class Visitor:
    """For whom: what they did, and the country they are in, where it is known (two capital letters)."""

    lines: Lines = EMPTY
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for. Item keys throughout.

    `looked_at` and `cart` are the moment and not shown again; items of the category `near` come first.
    """

    n: int
    exclude_seen: bool = True
    exclude: Collection[int] = ()
    only: Filter = field(default_factory=Filter)
    looked_at: int | None = None
    cart: Collection[int] = ()
    near: tuple[str, ...] | None = None
    kinds: frozenset[str] = PRODUCTS
    where: tuple[Expression, ...] = ()
    at: Circumstances = ANYWHERE
    plan: Plan | None = None

    @property
    def is_open(self) -> bool:
        """Whether everything of these kinds that is on sale may be shown."""
        return not (self.only or self.where or self.exclude or self.cart or self.looked_at is not None)

    def moment(self) -> list[int]:
        """The items of the moment, each once."""
        return sorted({*self.cart, *(() if self.looked_at is None else (self.looked_at,))})

    @property
    def liked(self) -> Reason:
        """What is said of an item that the collaborative model chose."""
        if self.looked_at is not None:
            return Reason.SIMILAR
        return Reason.FITS_CART if self.cart else Reason.FOR_YOU


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Why there are fewer items than were asked for: how many each rule left over, one after the other."""

    requested: int
    returned: int
    in_catalogue: int
    on_sale: int
    match_filter: int
    in_price_band: int
    not_excluded: int
    proposed: int

    @property
    def reason(self) -> str:
        """The first rule that left too few, as a word."""
        words = {
            "catalogue_too_small": self.in_catalogue,
            "too_few_available": self.on_sale,
            "too_few_match_filter": self.match_filter,
            "too_few_in_price_band": self.in_price_band,
            "too_few_not_excluded": self.not_excluded,
            "too_few_proposed": self.proposed,
        }
        return next((word for word, left in words.items() if left < self.requested), "too_few_within_quotas")


@dataclass(frozen=True, slots=True)
class Answer:
    """Item keys, best first, with a score and a reason each. `strategies`: those that filled places, in their order.

    `whys`: what the reasons are about, where an answer was arranged by a plan. `promoted`: item key → promotion;
    `explored`: item key → the probability with which it was; `pool`: among how many items was drawn.
    """

    strategy: Strategy
    keys: NDArray[np.int64]
    scores: NDArray[np.float32]
    reasons: list[Reason]
    shortfall: Shortfall | None = None
    strategies: tuple[Strategy, ...] = ()
    whys: list[Why] | None = None
    promoted: Mapping[int, str] = field(default_factory=dict)
    explored: Mapping[int, float] = field(default_factory=dict)
    pool: int = 0
