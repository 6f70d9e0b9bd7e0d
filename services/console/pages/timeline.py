"""A customer's events as a person reads them: by day, each in a few words."""

from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from babel.numbers import UnknownCurrencyError
from flask_babel import lazy_gettext as _
from flask_babel import ngettext

from services.console.pages.formats import amount, day, instant, personal
from shared.shop import shop

_NAMES: Final = {
    "Order Completed": (_("Ordered"), "cart"),
    "Order Placed": (_("Ordered"), "cart"),
    "Order Updated": (_("Order changed"), "cart"),
    "Order Refunded": (_("Refunded"), "cart"),
    "Order Cancelled": (_("Order cancelled"), "cart"),
    "Product Viewed": (_("Viewed"), "eye"),
    "Product List Viewed": (_("Viewed a list"), "eye"),
    "Products Searched": (_("Searched"), "search"),
    "Product Added": (_("Added to the cart"), "cart"),
    "Product Removed": (_("Removed from the cart"), "cart"),
    "Cart Viewed": (_("Viewed the cart"), "cart"),
    "Checkout Started": (_("Started the checkout"), "cart"),
    "Email Sent": (_("E-mail sent"), "mail"),
    "Email Delivered": (_("E-mail delivered"), "mail"),
    "Email Opened": (_("Opened an e-mail"), "mail"),
    "Email Link Clicked": (_("Clicked in an e-mail"), "link"),
    "Recommendation Shown": (_("Saw recommended items"), "recommendations"),
    "Recommendation Clicked": (_("Clicked a recommended item"), "recommendations"),
    "Email Bounced": (_("An e-mail bounced"), "mail"),
    "Email Marked as Spam": (_("Marked an e-mail as spam"), "alert"),
    "Unsubscribed": (_("Unsubscribed"), "cross"),
}

_TYPES: Final = {
    "identify": (_("Profile updated"), "person"),
    "page": (_("Viewed a page"), "eye"),
    "screen": (_("Viewed a screen"), "eye"),
    "group": (_("Added to a group"), "people"),
    "alias": (_("Linked another id"), "link"),
    "merge": (_("Identities merged"), "link"),
    "split": (_("Merge undone"), "link"),
}


def by_day(events: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Events, newest first, in days of the shop's calendar, each with a title, a detail and an icon."""
    shown = [_shown(event) for event in events]
    return [(label, list(group)) for label, group in groupby(shown, key=lambda event: day(event["occurred_at"]))]


def _shown(event: dict[str, Any]) -> dict[str, Any]:
    title, icon = _NAMES.get(event.get("event") or "") or _TYPES.get(event["type"]) or (event.get("event"), "dot")
    payload = event.get("payload") or {}
    at = instant(event["occurred_at"])
    return {
        **event,
        "title": title,
        "icon": icon,
        "detail": _detail(payload.get("properties") or {}),
        "clock": at.strftime("%H:%M") if at else "",
        "payload": personal(payload),
    }


def _detail(properties: dict[str, Any]) -> str:
    """The few words that matter: what was bought for how much, what was looked at, what was searched for."""
    products = properties.get("products")
    parts = []
    if isinstance(products, list) and products:
        parts.append(ngettext("%(num)d product", "%(num)d products", len(products)))
    paid = next((properties[key] for key in ("total", "revenue", "value") if properties.get(key) is not None), None)
    if paid is not None:
        parts.append(_paid(paid, properties.get("currency")))
    for key in (
        "name",
        "query",
        "title",
        "path",
        "category",
        "product_id",
        "campaign_name",
        "email_subject",
        "subject",
    ):
        if isinstance(properties.get(key), str) and not products:
            parts.append(properties[key])
            break
    return " · ".join(parts)


def _paid(paid: Any, currency: Any) -> str:
    """What was sent as an amount: as money where it is some, else as it came."""
    try:
        return amount(Decimal(str(paid)), currency if isinstance(currency, str) else shop().currency)
    except (ArithmeticError, ValueError, UnknownCurrencyError):
        return str(paid)
