"""Orders, refunds and cancellations of Segment's e-commerce events (v2, and the names of v1)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from services.segmentation.domain.money import currency_code, exponent, line_amount, minor_units, number

ORDER: Final = "order"
REFUND: Final = "refund"
CANCEL: Final = "cancel"

_KINDS: Final = {
    "order completed": ORDER,
    "completed order": ORDER,
    "order updated": ORDER,
    "updated order": ORDER,
    "order refunded": REFUND,
    "refunded order": REFUND,
    "order cancelled": CANCEL,
    "order canceled": CANCEL,
    "cancelled order": CANCEL,
}
_LONGEST_TEXT: Final = 200
_LARGEST_QUANTITY: Final = 1e9


class Line(NamedTuple):
    """One product line; the total is net of its discount. Money in minor units of the order's currency."""

    product_id: str | None
    category: str | None
    quantity: float
    total_minor: int
    discount_minor: int


@dataclass(frozen=True)
class Purchase:
    """What one e-commerce event says. `amount_minor` None: a refund or cancellation of all that is left."""

    kind: str
    order_key: str
    amount_minor: int | None
    discount_minor: int
    currency: str
    lines: list[Line]


def kind_of(event: str) -> str | None:
    """order, refund or cancel for the events that move money; None for all others."""
    return _KINDS.get(event.lower().replace("_", " "))


def is_completed(event: str) -> bool:
    """Whether an event of this name says that an order was made: such events count once per order."""
    return event.lower().replace("_", " ") in ("order completed", "completed order")


def purchase(kind: str, properties: Mapping[str, Any], position: int, shop_currency: str) -> Purchase:
    """Read the properties of an order, refund or cancellation. Whatever is unreadable is left out, never an error.

    An order's amount is its `total`, else `revenue`, else the sum of its lines. An order with a negative amount is
    a return: a refund. Without an order_id nothing is a repeat of anything, so `position` makes the key.
    """
    currency = currency_code(properties.get("currency"), shop_currency)
    decimals = exponent(currency)
    lines = _lines(properties.get("products"), decimals)
    amount = _amount(properties, lines, decimals)
    key = _key(properties.get("order_id"), position)
    if kind == CANCEL:
        return Purchase(CANCEL, key, None, 0, currency, [])
    if kind == REFUND:
        return Purchase(REFUND, key, None if amount is None else abs(amount), 0, currency, _positive(lines))
    if amount is not None and amount < 0:
        return Purchase(REFUND, key, -amount, 0, currency, _positive(lines))
    return Purchase(ORDER, key, amount or 0, _discount(properties, lines, decimals), currency, lines)


def _amount(properties: Mapping[str, Any], lines: list[Line], decimals: int) -> int | None:
    for name in ("total", "revenue"):
        amount = minor_units(properties.get(name), decimals)
        if amount is not None:
            return amount
    return sum(line.total_minor for line in lines) if lines else None


def _discount(properties: Mapping[str, Any], lines: list[Line], decimals: int) -> int:
    stated = minor_units(properties.get("discount"), decimals)
    return abs(stated) if stated is not None else max(0, sum(line.discount_minor for line in lines))


def _key(order_id: object, position: int) -> str:
    if isinstance(order_id, bool) or not isinstance(order_id, str | int | float) or order_id == "":
        return f"position:{position}"
    text = str(order_id).strip()
    if len(text) > _LONGEST_TEXT:  # an index entry has a limit, an order number has not
        text = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"order:{text}"


def _lines(products: object, decimals: int) -> list[Line]:
    if not isinstance(products, list):
        return []
    return [_line(product, decimals) for product in products if isinstance(product, dict)]


def _line(product: Mapping[str, Any], decimals: int) -> Line:
    quantity = product.get("quantity", 1)
    if type(quantity) is not int:
        read = number(quantity)
        quantity = 1.0 if read is None else read
    quantity = max(-_LARGEST_QUANTITY, min(float(quantity), _LARGEST_QUANTITY))
    discount = minor_units(product["discount"], decimals) if "discount" in product else 0
    total = minor_units(product["total"], decimals) if "total" in product else None
    if total is None and "line_total" in product:
        total = minor_units(product["line_total"], decimals)
    if total is None:
        total = (line_amount(product.get("price"), quantity, decimals) or 0) - (discount or 0)
    identifier = product.get("product_id")
    if identifier is None:
        identifier = product.get("sku")
    return Line(_text(identifier), _text(product.get("category")), quantity, total, discount or 0)


def _text(value: object) -> str | None:
    if type(value) is str:
        return value[:_LONGEST_TEXT] or None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value)


def _positive(lines: list[Line]) -> list[Line]:
    """Lines of a return, as what went back: refunds are written with both signs."""
    return [
        Line(line.product_id, line.category, abs(line.quantity), abs(line.total_minor), abs(line.discount_minor))
        for line in lines
    ]
