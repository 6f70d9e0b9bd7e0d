"""What people did with items, as read from the event log: which events say it, and which lines they leave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from math import isfinite
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.recommend.domain.amounts import amount_of
from services.recommend.domain.items import price_in_minor

LONGEST_ID: Final = 256
_MOST_LINES: Final = 10_000


class Kind(IntEnum):
    """What was done. The numbers are stored: never reuse one."""

    VIEWED = 1
    CLICKED = 2
    WISHED = 3
    ADDED = 4
    REMOVED = 5
    BOUGHT = 6
    RETURNED = 7


# Segment's e-commerce specification, version 2.
_OF_ONE_PRODUCT: Final = {
    "Product Viewed": Kind.VIEWED,
    "Product Clicked": Kind.CLICKED,
    "Product Added to Wishlist": Kind.WISHED,
    "Product Added": Kind.ADDED,
    "Product Removed": Kind.REMOVED,
}
_CLICKED_ON: Final = "Recommendation Clicked"
ORDERED: Final = frozenset({"Order Completed", "Order Updated"})
UNDONE: Final = frozenset({"Order Refunded", "Order Cancelled"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of profile's log, as far as it matters here."""

    position: int
    type: str
    event: str | None
    identity_id: UUID | None
    customer_id: UUID | None
    occurred_at: datetime
    trusted: bool
    payload: dict[str, Any]

    @property
    def properties(self) -> Mapping[str, Any]:
        """The event's properties; an empty mapping where the sender had none, or something else there."""
        found = self.payload.get("properties")
        return found if isinstance(found, dict) else {}

    @property
    def order_id(self) -> str | None:
        """The order this event is about."""
        return identifier(self.properties.get("order_id"))


class Line(NamedTuple):
    """One person, one product, one deed. Unique by (position, line).

    Of a purchase with what was paid for the line, of a return with what it says was given back for it.
    """

    position: int
    line: int
    identity_id: UUID | None
    customer_id: UUID | None
    product_id: str
    kind: Kind
    quantity: float
    occurred_at: datetime
    recommendation_id: UUID | None
    amount_minor: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Purchase:
    """The event whose lines of an order are in force, what it says the order was worth, and which event undid it."""

    order_id: str
    position: int | None
    occurred_at: datetime | None
    revised: bool
    trusted: bool
    cancel_position: int | None = None
    cancelled_at: datetime | None = None
    total_minor: int | None = None
    total_currency: str | None = None


def lines_of(entry: Entry) -> list[Line]:
    """The lines an entry leaves; [] for events that are not about products, and for a whole order undone.

    A line with a negative quantity is a return. A quantity that is no number counts as one.
    """
    if entry.type != "track":
        return []
    if entry.event == _CLICKED_ON:  # the item that was recommended is the product
        return _lines(entry, [{"product_id": entry.properties.get("item_id")}], Kind.CLICKED)
    if entry.event in _OF_ONE_PRODUCT:
        return _lines(entry, [entry.properties], _OF_ONE_PRODUCT[entry.event])
    if entry.event not in ORDERED and entry.event not in UNDONE:
        return []
    products = entry.properties.get("products")
    if not isinstance(products, list) or undoes_whole_order(entry):
        return []
    return _lines(entry, products[:_MOST_LINES], Kind.BOUGHT if entry.event in ORDERED else Kind.RETURNED)


def undoes_whole_order(entry: Entry) -> bool:
    """Whether every line of the order is taken back: a cancellation, or a refund that names no products."""
    if entry.event not in UNDONE or entry.order_id is None:
        return False
    return entry.event == "Order Cancelled" or not entry.properties.get("products")


def purchase_of(entry: Entry) -> Purchase | None:
    """The order that an entry places or corrects; None for other entries and for orders without an id."""
    if entry.event not in ORDERED or entry.order_id is None:
        return None
    total = amount_of(entry.properties, ("revenue", "total"))
    return Purchase(
        order_id=entry.order_id,
        position=entry.position,
        occurred_at=entry.occurred_at,
        revised=entry.event == "Order Updated",
        trusted=entry.trusted,
        total_minor=None if total is None else total[0],
        total_currency=None if total is None else total[1],
    )


def settle(known: Purchase | None, entries: Sequence[Entry]) -> Purchase | None:
    """The state of one order after `entries` about it, whatever order they arrived in. None: nothing is known of it.

    A trusted sender holds before a browser, a correction before the first report, the later deed before the earlier;
    of equal ones the first that was logged, so that a repeat changes nothing. A browser cannot undo an order that a
    trusted sender placed, nor one not yet seen.
    """
    claimed = (known, *map(purchase_of, entries))
    claims = [claim for claim in claimed if claim is not None and claim.position is not None]
    placed = max(claims, key=_precedence) if claims else known
    undone = [entry for entry in entries if undoes_whole_order(entry)]
    undone = [entry for entry in undone if entry.trusted or (placed is not None and not placed.trusted)]
    if known is not None and known.cancel_position is not None:
        cancel_position, cancelled_at = known.cancel_position, known.cancelled_at
    elif undone:
        cancel_position, cancelled_at = undone[0].position, undone[0].occurred_at
    else:
        return placed
    if placed is None:
        order_id = entries[0].order_id
        placed = Purchase(order_id or "", None, None, revised=False, trusted=False)
    return replace(placed, cancel_position=cancel_position, cancelled_at=cancelled_at)


def _precedence(claim: Purchase) -> tuple[bool, bool, datetime, int]:
    assert claim.occurred_at is not None and claim.position is not None  # noqa: S101, PT018  # chosen by the caller
    return claim.trusted, claim.revised, claim.occurred_at, -claim.position


def _lines(entry: Entry, products: Sequence[Any], kind: Kind) -> list[Line]:
    recommendation_id = uuid_of(entry.properties.get("recommendation_id"))
    position, identity, customer, at = entry.position, entry.identity_id, entry.customer_id, entry.occurred_at
    lines = []
    for number, product in enumerate(products):
        product_id = _product_id(product)
        if product_id is not None:
            amount = _quantity(product.get("quantity"))
            done = Kind.RETURNED if kind is Kind.BOUGHT and amount < 0 else kind
            money = done in (Kind.BOUGHT, Kind.RETURNED)
            paid = _paid(product, abs(amount), entry.properties.get("currency")) if money else (None, None)
            line = Line(position, number, identity, customer, product_id, done, abs(amount), at, recommendation_id)
            lines.append(line._replace(amount_minor=paid[0], currency=paid[1]) if paid[0] is not None else line)
    return lines


def _product_id(product: Any) -> str | None:
    if not isinstance(product, dict):
        return None
    for name in ("product_id", "sku"):
        found = identifier(product.get(name))
        if found is not None:
            return found
    return None


def identifier(value: Any) -> str | None:
    """An id as the shop gives it; None for what cannot be one."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip()
    return text if 0 < len(text) <= LONGEST_ID and "\0" not in text else None


def _quantity(value: Any) -> float:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return 1.0
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e9 or not isfinite(value):
        return 1.0
    return float(value)


def uuid_of(value: Any) -> UUID | None:
    """A UUID in an event; None for what is none."""
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _paid(product: Mapping[str, Any], quantity: float, order_currency: Any) -> tuple[int | None, str | None]:
    """Price × quantity in minor units and the currency, the product's own or its order's; (None, None): not told."""
    currency = product.get("currency") or order_currency
    price = product.get("price")
    if isinstance(price, bool) or not isinstance(price, int | float | str) or not isinstance(currency, str):
        return None, None
    currency = currency.upper()
    try:
        if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
            return None, None
        return price_in_minor(Decimal(str(price)) * Decimal(repr(quantity)), currency), currency
    except (ArithmeticError, ValueError):  # no number, or none that could be a price
        return None, None
