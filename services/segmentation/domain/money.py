"""Amounts of money as they come in events -> integer minor units."""

import math
import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Final

# ISO 4217: currencies whose minor unit is not a hundredth.
_EXPONENTS: Final = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
_COLLOQUIAL: Final = {"RMB": "CNY", "NTD": "TWD"}
_LARGEST: Final = 10**15
_PLAIN: Final = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?")


def exponent(currency: str) -> int:
    """The number of decimals of a currency's minor unit (CNY 2, JPY 0, KWD 3)."""
    return _EXPONENTS.get(currency, 2)


def currency_code(value: object, default: str) -> str:
    """The ISO 4217 code in `value`, or `default` where there is none that could be one."""
    if not isinstance(value, str):
        return default
    code = value.strip().upper()
    code = _COLLOQUIAL.get(code, code)
    return code if len(code) == 3 and code.isascii() and code.isalpha() else default


def number(value: object) -> float | None:
    """A finite number from JSON, or from text such as "1,234.50"; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if abs(value) <= 1e300 else None
    if isinstance(value, str) and len(value) <= 40:
        text = unicodedata.normalize("NFKC", value).strip()
        if _PLAIN.fullmatch(text):
            return float(text.replace(",", ""))
    return None


def minor_units(value: object, decimals: int) -> int | None:
    """`value` (major units) as minor units, half away from zero. None where it is no amount, or beyond 10^15."""
    amount = number(value)
    if amount is None:
        return None
    scaled = amount * 10.0**decimals
    if abs(scaled) >= _LARGEST:
        return None
    nearest = round(scaled)
    # Off a tie the binary value decides; near one the decimal text does (1.005 is meant, not 1.00499999).
    return nearest if abs(scaled - nearest) < 0.499 else _exact(amount, 1.0, decimals)


def line_amount(price: object, quantity: float, decimals: int) -> int | None:
    """price x quantity in minor units, rounded once; None where there is no price."""
    unit = number(price)
    if unit is None:
        return None
    scaled = unit * quantity * 10.0**decimals
    if not math.isfinite(scaled) or abs(scaled) >= _LARGEST:
        return None
    nearest = round(scaled)
    return nearest if abs(scaled - nearest) < 0.499 else _exact(unit, quantity, decimals)


def _exact(amount: float, factor: float, decimals: int) -> int | None:
    try:
        product = Decimal(repr(amount)) * Decimal(repr(factor)) * 10**decimals
        return int(product.to_integral_value(ROUND_HALF_UP))
    except InvalidOperation:
        return None
