"""Amounts of money as events state them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from services.recommend.domain.items import price_in_minor


def amount_of(properties: Mapping[str, Any], names: Sequence[str]) -> tuple[int, str] | None:
    """The first of these amounts that can be read, without its sign (refunds are written with both), and its currency.

    In minor units; None where there is none, or no currency with it.
    """
    currency = properties.get("currency")
    if not (isinstance(currency, str) and len(currency) == 3 and currency.isascii() and currency.isalpha()):
        return None
    for name in names:
        value = properties.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            continue
        try:
            amount = price_in_minor(abs(Decimal(str(value))), currency.upper())
        except (ArithmeticError, ValueError):  # no number, or none that could be an amount
            continue
        if amount is not None:
            return amount, currency.upper()
    return None
