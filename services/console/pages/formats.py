"""How numbers, money and instants read: in the visitor's language, the shop's currency and its time zone."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_timedelta
from babel.numbers import (
    format_compact_decimal,
    format_currency,
    format_decimal,
    format_percent,
    get_currency_precision,
)
from babel.units import format_unit
from flask import Flask, request
from flask_babel import get_locale

from services.console.domain import masking
from services.console.pages.session import visitor
from shared.shop import business_now, shop

NOTHING = "–"
# `CN¥`, `US$`: the letters tell currencies of one sign apart, which a shop's own needs not be.
_COUNTRY: Final = re.compile(r"\b[A-Z]{1,3}(?=[^\w\s.,])")


def money(minor: int | None, currency: str | None = None) -> str:
    """An amount of minor units (cents, fen) as people write it; the shop's own currency by its bare sign."""
    if minor is None:
        return NOTHING
    code = currency or shop().currency
    return amount(to_major(minor, code), code)


def amount(major: Decimal, currency: str, whole: bool = False) -> str:
    """A decimal amount of a currency, on request without what is behind the point."""
    pattern = None
    if whole:
        pattern = get_locale().currency_formats["standard"].pattern.replace("0.00", "0")
    text = format_currency(major, currency, format=pattern, locale=get_locale(), currency_digits=not whole)
    return _COUNTRY.sub("", text) if currency == shop().currency else text


def money_whole(minor: int | None, currency: str | None = None) -> str:
    """A big amount, rounded to whole units."""
    if minor is None:
        return NOTHING
    code = currency or shop().currency
    return amount(to_major(minor, code).to_integral_value(), code, whole=True)


def to_major(minor: int, currency: str) -> Decimal:
    """Minor units as a decimal of the currency."""
    return Decimal(minor).scaleb(-get_currency_precision(currency))


def number(value: float | None, digits: int = 0) -> str:
    """A number with separators, rounded to `digits`."""
    if value is None:
        return NOTHING
    rounded = round(Decimal(str(value)), digits) + 0  # never "-0"
    # Babel's own pattern would round to three decimals.
    return format_decimal(rounded.normalize(), locale=get_locale(), decimal_quantization=False)


def compact(value: float | None) -> str:
    """A big number in short: 12K, 1.2万."""
    return NOTHING if value is None else format_compact_decimal(value, fraction_digits=1, locale=get_locale())


def percent(share: float | None, digits: int = 1) -> str:
    """A share between 0 and 1."""
    if share is None:
        return NOTHING
    return format_percent(share, format=f"#,##0.{'#' * digits}%", locale=get_locale())


def instant(value: Any) -> datetime | None:
    """A datetime or an ISO text as a datetime in the shop's time zone; None where it is neither."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return aware.astimezone(ZoneInfo(shop().time_zone))


def when(value: Any) -> str:
    """Date and time in the shop's time zone."""
    found = instant(value)
    return _dated(found, "Hm") if found else NOTHING


def moment(value: Any) -> str:
    """Date and time to the second, for logs."""
    found = instant(value)
    return _dated(found, "Hms") if found else NOTHING


def day(value: Any) -> str:
    """The date in the shop's time zone."""
    found = instant(value)
    return format_date(found.date(), "medium", locale=get_locale()) if found else NOTHING


def ago(value: Any) -> str:
    """How long ago, counted from the shop's business clock: `3 days ago`, `3天前`."""
    found = instant(value)
    if found is None:
        return NOTHING
    return format_timedelta(found - business_now(), add_direction=True, locale=get_locale())


def duration(seconds: float | None) -> str:
    """A span of time in its largest fitting unit: `12 sec`, `3 min`, `5 hr`."""
    if seconds is None:
        return NOTHING
    return format_timedelta(timedelta(seconds=round(seconds)), format="short", threshold=1.5, locale=get_locale())


def size(number_of_bytes: float | None) -> str:
    """Bytes as megabytes or gigabytes."""
    if number_of_bytes is None:
        return NOTHING
    power, unit = (30, "digital-gigabyte") if number_of_bytes >= 1 << 30 else (20, "digital-megabyte")
    value = round(number_of_bytes / (1 << power), 1 if number_of_bytes < 100 << power else 0)
    return format_unit(value, unit, "short", locale=get_locale())


def instant_of(unix: float) -> datetime:
    """The instant of a Unix time."""
    return datetime.fromtimestamp(unix, UTC)


def contact(value: str | None, kind: str) -> str:
    """An e-mail address, telephone number or name: in full for those who may see it, masked for the others."""
    if not value:
        return NOTHING
    viewer = visitor()
    if viewer and viewer.may("contacts:read"):
        return value
    return {"email": masking.email, "phone": masking.phone, "name": masking.name}.get(kind, masking.hidden)(value)


def personal(tree: Any) -> Any:
    """Traits or properties: in full for those who may see contact fields, masked for the others."""
    viewer = visitor()
    return tree if viewer and viewer.may("contacts:read") else masking.mask_all(tree)


def language_name(tag: str | None) -> str:
    """A locale tag such as zh-CN as people say it."""
    try:
        return Locale.parse((tag or "").replace("-", "_")).get_display_name(get_locale()) or str(tag)
    except (ValueError, UnknownLocaleError):
        return tag or NOTHING


def _dated(found: datetime, clock: str) -> str:
    locale = get_locale()
    return f"{format_skeleton('yMMMd', found, locale=locale)} {format_skeleton(clock, found, locale=locale)}"


def here() -> str:
    """The address of this page, to come back to."""
    return request.full_path.rstrip("?") if request.method == "GET" else "/"


def install(app: Flask) -> None:
    """Give the templates these filters."""
    app.jinja_env.filters.update(
        money=money,
        money_whole=money_whole,
        number=number,
        compact=compact,
        percent=percent,
        when=when,
        moment=moment,
        day=day,
        ago=ago,
        contact=contact,
        personal=personal,
        language_name=language_name,
        duration=duration,
        size=size,
        instant_of=instant_of,
    )
    app.jinja_env.globals.update(here=here)
