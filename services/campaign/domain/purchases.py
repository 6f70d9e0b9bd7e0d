"""Orders as the log tells them: what an order was worth, what was given back. Net of nothing but refunds."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Final

ORDERS: Final = frozenset({"Order Completed", "Order Updated"})
REFUNDS: Final = frozenset({"Order Refunded"})
CANCELLATIONS: Final = frozenset({"Order Cancelled"})
EVENTS: Final = ORDERS | REFUNDS | CANCELLATIONS
# ISO 4217 currencies without two decimals.
_DECIMALS: Final = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
}
_LARGEST: Final = Decimal(10) ** 15


@dataclass(frozen=True)
class Order:
    """What an `Order Completed` or `Order Updated` says: the newest statement replaces earlier ones."""

    order_id: str
    revenue_minor: int
    currency: str


@dataclass(frozen=True)
class Refund:
    """What was given back of an order; `amount_minor` None: all of it."""

    order_id: str
    amount_minor: int | None
    currency: str


def order_of(properties: Mapping[str, Any], message_id: str, default_currency: str) -> Order | None:
    """The order an event states: its `revenue`, else its `total`, else the sum of its lines. None without any."""
    currency = _currency(properties, default_currency)
    amount = _first_amount(properties, ("revenue", "total"))
    if amount is None:
        amount = _lines_total(properties.get("products"))
    if amount is None:
        return None
    return Order(_order_id(properties, message_id), _minor(amount, currency), currency)


def refund_of(properties: Mapping[str, Any], message_id: str, default_currency: str) -> Refund:
    """The refund an event states: `total`, `revenue` or the returned lines; all of the order where it names none."""
    currency = _currency(properties, default_currency)
    amount = _first_amount(properties, ("total", "revenue", "value"))
    if amount is None:
        amount = _lines_total(properties.get("products"))
    return Refund(
        _order_id(properties, message_id), None if amount is None else abs(_minor(amount, currency)), currency
    )


def _order_id(properties: Mapping[str, Any], message_id: str) -> str:
    order_id = properties.get("order_id")
    # Orders without an id are never each other's duplicates.
    return f"o:{order_id}" if isinstance(order_id, str | int) and str(order_id) else f"m:{message_id}"


def _currency(properties: Mapping[str, Any], default: str) -> str:
    stated = properties.get("currency")
    return stated.upper() if isinstance(stated, str) and len(stated) == 3 and stated.isascii() else default


def _first_amount(properties: Mapping[str, Any], names: tuple[str, ...]) -> Decimal | None:
    for name in names:
        amount = _decimal(properties.get(name))
        if amount is not None:
            return amount
    return None


def _lines_total(products: Any) -> Decimal | None:
    if not isinstance(products, list):
        return None
    total, found = Decimal(0), False
    for line in products:
        if not isinstance(line, Mapping):
            continue
        whole, price = _decimal(line.get("total")), _decimal(line.get("price"))
        if whole is None and price is not None:
            quantity = _decimal(line.get("quantity"))
            whole = price * (Decimal(1) if quantity is None else quantity)
        if whole is not None:
            total, found = total + whole, True
    return total if found else None


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) < _LARGEST else None


def _minor(amount: Decimal, currency: str) -> int:
    scale = Decimal(10) ** _DECIMALS.get(currency, 2)
    return int((amount * scale).quantize(Decimal(1), rounding=ROUND_HALF_UP))
