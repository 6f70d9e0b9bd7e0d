"""Conditions of rules: an operator, what it compares with, and whether the two fit."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, TypeAlias, TypeGuard

from services.segmentation.domain import vocabulary as words

MAX_VALUES: Final = 1000
MAX_TEXT: Final = 500
MAX_NAME: Final = 200
MAX_NUMBER: Final = 10.0**15
MAX_DAYS: Final = 36_500

Value: TypeAlias = bool | int | float | str | tuple[int | float | str, ...] | None

A_NUMBER_OF_DAYS: Final = f"must be a whole number of days from 0 to {MAX_DAYS}"
A_MOMENT: Final = "must be a date or a time with its offset (2025-01-31)"


@dataclass(frozen=True)
class Condition:
    """An operator and what it compares with."""

    op: str
    value: Value = None


def value_fault(op: str, value: object, kind: str | None, values: tuple[str, ...] = ()) -> str | None:
    """What is wrong with `value` for this operator on a field of this kind (None: any); None where nothing is."""
    if op in words.PRESENCE:
        return None if value is None else f"{op} takes no value"
    if op in ("in", "not_in"):
        return _list_fault(value, kind, values)
    fits = _FITS.get(op)
    if fits is None:
        return _scalar_fault(op, value, kind, values)
    return None if fits[0](value) else fits[1]


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether `value` is a finite number up to MAX_NUMBER."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and abs(value) <= MAX_NUMBER


def is_days(value: object) -> TypeGuard[int]:
    """Whether `value` is a number of days."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_DAYS


def is_text(value: object) -> TypeGuard[str]:
    """Whether `value` is a text that can be compared with."""
    return isinstance(value, str) and 0 < len(value) <= MAX_TEXT and _storable(value)


def is_name(value: object) -> TypeGuard[str]:
    """Whether `value` can be the name of an event, a property or a trait."""
    return is_text(value) and len(value) <= MAX_NAME


def is_moment(value: object) -> TypeGuard[str]:
    """Whether `value` is an ISO date, or an ISO time with its offset."""
    if not isinstance(value, str) or len(value) > 40:
        return False
    try:
        if len(value) == 10:
            date.fromisoformat(value)
            return value[4] == "-"
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _list_fault(value: object, kind: str | None, values: tuple[str, ...]) -> str | None:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_VALUES:
        return f"must be a list of 1 to {MAX_VALUES} values"
    if all(is_text(one) for one in value):
        unknown = [one for one in value if values and one not in values]
        return f"{unknown[0]} is not one of {', '.join(values)}" if unknown else None
    if kind is None and all(is_number(one) for one in value):
        return None
    return "must hold only texts, or only numbers" if kind is None else "must hold only texts"


def _scalar_fault(op: str, value: object, kind: str | None, values: tuple[str, ...]) -> str | None:
    if op in ("contains", "starts_with") or kind in (words.TEXT, words.LIST):
        if not is_text(value):
            return f"must be a text of 1 to {MAX_TEXT} characters"
        return f"must be one of {', '.join(values)}" if values and value not in values else None
    if kind == words.FLAG:
        return None if isinstance(value, bool) else "must be true or false"
    if kind in (words.NUMBER, words.MONEY):
        return None if is_number(value) else "must be a number"
    fits = isinstance(value, bool) or is_number(value) or is_text(value)
    return None if fits else "must be a text, a number, true or false"


def _is_pair(value: object) -> bool:
    if not isinstance(value, list) or len(value) != 2:
        return False
    low, high = value
    return is_number(low) and is_number(high) and low <= high


_FITS: Final[Mapping[str, tuple[Callable[[object], bool], str]]] = {
    **dict.fromkeys(("within_days", "older_than_days"), (is_days, A_NUMBER_OF_DAYS)),
    **dict.fromkeys(("before", "after"), (is_moment, A_MOMENT)),
    **dict.fromkeys(("<", "<=", ">", ">="), (is_number, "must be a number")),
    "between": (_is_pair, "must be a list of two numbers, the smaller one first"),
}


def _storable(text: str) -> bool:
    # Postgres knows no NUL, UTF-8 no lone surrogate.
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
