"""A customer's events as a person reads them: by day, each in a few words."""

from itertools import groupby
from typing import Any, Final

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _

from services.console.pages.formats import day, instant, personal

_NAMES: Final = {
    "Order Completed": (_("Ordered"), "cart"),
    "Order Placed": (_("Ordered"), "cart"),
    "Order Updated": (_("Order changed"), "cart"),
    "Order Refunded": (_("Refunded"), "cart"),
    "Order Cancelled": (_("Order cancelled"), "cart"),
    "Product Viewed": (_("Looked at"), "eye"),
    "Product List Viewed": (_("Looked at a list"), "eye"),
    "Products Searched": (_("Searched"), "search"),
    "Product Added": (_("Put into the cart"), "cart"),
    "Product Removed": (_("Took out of the cart"), "cart"),
    "Cart Viewed": (_("Looked at the cart"), "cart"),
    "Checkout Started": (_("Went to the checkout"), "cart"),
    "Email Sent": (_("Was sent an e-mail"), "mail"),
    "Email Delivered": (_("Got an e-mail"), "mail"),
    "Email Opened": (_("Opened an e-mail"), "mail"),
    "Email Link Clicked": (_("Clicked in an e-mail"), "link"),
    "Email Bounced": (_("An e-mail came back"), "mail"),
    "Email Marked as Spam": (_("Marked an e-mail as spam"), "alert"),
    "Unsubscribed": (_("Unsubscribed"), "cross"),
}

_TYPES: Final = {
    "identify": (_("Told something about themselves"), "person"),
    "page": (_("Looked at a page"), "eye"),
    "screen": (_("Looked at a screen"), "eye"),
    "group": (_("Was put into a group"), "people"),
    "alias": (_("Got another id"), "link"),
    "merge": (_("Was found to be the same person"), "link"),
    "split": (_("Was taken apart again"), "link"),
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
        "detail": _detail(event, payload.get("properties") or {}),
        "clock": at.strftime("%H:%M") if at else "",
        "payload": personal(payload),
    }


def _detail(event: dict[str, Any], properties: dict[str, Any]) -> str:
    """The few words that matter: what was bought for how much, what was looked at, what was searched for."""
    products = properties.get("products")
    parts = []
    if isinstance(products, list) and products:
        parts.append(ngettext("%(num)d product", "%(num)d products", len(products)))
    amount = next((properties[key] for key in ("total", "revenue", "value") if properties.get(key) is not None), None)
    if amount is not None:
        parts.append(f"{amount} {properties.get('currency') or ''}".strip())
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
    if event.get("imported"):
        parts.append(gettext("imported"))
    return " · ".join(parts)
