"""Rules of the catalogue: what an item is, and when one may be shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any, Final

from babel.numbers import get_currency_precision

SEPARATOR: Final = " > "
_LARGEST_MINOR: Final = 2**62


class ItemError(ValueError):
    """An item cannot be what it says. `field` names where in the item."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the catalogue. Prices are integers of the currency's minor unit; `category` is a path."""

    item_id: str
    name: str
    category: tuple[str, ...]
    brand: str | None
    price_minor: int | None
    currency: str | None
    available: bool
    stock: int | None
    url: str | None
    image_url: str | None
    attributes: dict[str, Any]
    published_at: datetime | None
    kind: str = "product"


def category_path(given: str | Sequence[str] | None) -> tuple[str, ...]:
    """A category as a path from the broadest: "Tea > Green" is ["Tea", "Green"]. () where there is none."""
    if given is None:
        return ()
    parts = given.split(SEPARATOR.strip()) if isinstance(given, str) else given
    return tuple(part.strip() for part in parts if part.strip())


def price_in_minor(price: Decimal | None, currency: str | None) -> int | None:
    """`price` in minor units, halves up: a unit price may have more decimals than its currency.

    Raises ItemError for a price without a currency, a negative one, and one that is no number.
    """
    if price is None:
        return None
    if currency is None:
        raise ItemError("currency", "a price needs its currency")
    if not price.is_finite() or price < 0:
        raise ItemError("price", "a price is a number of at least 0")
    if price.adjusted() > 15:
        raise ItemError("price", "this price is too large to be one")
    minor = int(minor_units(price, currency).to_integral_value(ROUND_HALF_UP))
    if minor >= _LARGEST_MINOR:
        raise ItemError("price", "this price is too large to be one")
    return minor


def minor_units(amount: Decimal, currency: str) -> Decimal:
    """An amount of money in the currency's minor units, not rounded."""
    return amount.scaleb(_decimals(currency))


def is_on_sale(available: bool, stock: int | None) -> bool:
    """Whether an item may be shown: said to be available, and not counted down to nothing."""
    return available and (stock is None or stock > 0)


@cache
def _decimals(currency: str) -> int:
    return get_currency_precision(currency)
