"""What was given back of an order, in goods or in money, as the log tells it."""

from dataclasses import dataclass
from typing import Final

from services.recommend.domain.amounts import amount_of
from services.recommend.domain.interactions import UNDONE, Entry, undoes_whole_order

_NAMES: Final = ("total", "revenue", "value")


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund or cancellation. `whole`: it names no products, and so is of the order, not of some of its lines.

    `amount_minor`: what was given back in all, where it says so; None of a whole order: all of it.
    """

    position: int
    order_id: str
    whole: bool
    amount_minor: int | None
    currency: str | None
    trusted: bool


def refund_of(entry: Entry) -> Refund | None:
    """The refund an entry tells of; None for other entries, and for refunds of no order by name."""
    if entry.event not in UNDONE or entry.order_id is None:
        return None
    amount = None if entry.event == "Order Cancelled" else amount_of(entry.properties, _NAMES)
    minor, currency = (None, None) if amount is None else amount
    return Refund(entry.position, entry.order_id, undoes_whole_order(entry), minor, currency, entry.trusted)
