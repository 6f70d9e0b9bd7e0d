"""What is asked of a recommendation, and what is answered."""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.filters import Filter
from services.recommend.domain.tastes import EMPTY, Lines


class Strategy(StrEnum):
    """How an answer was made."""

    FOR_YOU = "for_you"  # from the person's own history (and the moment)
    SESSION = "session"  # only from what the request says of the moment: an item looked at, a cart
    POPULAR = "popular"  # nothing is known of the person
    SIMILAR = "similar"  # to one item
    NEWEST = "newest"  # nothing is known at all: no model yet


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
