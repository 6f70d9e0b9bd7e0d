"""What is asked of a recommendation, and what is answered."""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.columns import PRODUCTS
from services.recommend.domain.expressions import ANYWHERE, Circumstances, Expression
from services.recommend.domain.filters import Filter
from services.recommend.domain.tastes import EMPTY, Lines


class Strategy(StrEnum):
    """How an answer was made."""

    FOR_YOU = "for_you"  # from the person's own history (and the moment)
    SESSION = "session"  # only from what the request says of the moment: an item looked at, a cart
    POPULAR = "popular"  # nothing is known of the person
    SIMILAR = "similar"  # to one item
    NEW_ARRIVALS = "new_arrivals"  # what came to the shop last; also where there is no model yet
    BOUGHT_TOGETHER = "bought_together"  # with the item looked at, or with those in the cart
    BUY_AGAIN = "buy_again"  # what the person buys in a rhythm, by when it is due
    TRENDING = "trending"  # wanted more now than usual
    RECENTLY_VIEWED = "recently_viewed"  # by the person, the last first
    CART_COMPLEMENTS = "cart_complements"  # what is bought with all that is in the cart
    PINNED = "pinned"  # put there by the shop


# Those a request or a slot can ask for; the others are how an answer came about.
ASKED: Final = frozenset(Strategy) - {Strategy.SESSION, Strategy.PINNED}


class Reason(StrEnum):
    """Why an item is in the answer."""

    BUY_AGAIN = "buy_again"
    FOR_YOU = "for_you"
    FITS_CART = "fits_cart"
    SIMILAR = "similar"
    POPULAR = "popular"
    NEW = "new"


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

    @property
    def reason(self) -> str:
        """The first rule that left too few, as a word."""
        if self.in_catalogue < self.requested:
            return "catalogue_too_small"
        if self.on_sale < self.requested:
            return "too_few_available"
        return "too_few_match_filter" if self.match_filter < self.requested else "too_few_not_excluded"


@dataclass(frozen=True, slots=True)
class Answer:
    """Item keys, best first, with a score and a reason each."""

    strategy: Strategy
    keys: NDArray[np.int64]
    scores: NDArray[np.float32]
    reasons: list[Reason]
    shortfall: Shortfall | None = None
