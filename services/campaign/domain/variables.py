"""What a template may speak of, from the facts of a customer, the shop and the catalogue."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.campaign.domain.markup import PRIVATE

UNSUBSCRIBE_LABELS: Final = {"zh": "退订", "en": "Unsubscribe"}

# What a template is tried with when it is saved.
SAMPLE: Final[Mapping[str, Any]] = {
    "customer": {"id": "0190c0de", "name": "Mei", "locale": "zh-CN", "country": "CN", "city": "Hangzhou", "traits": {}},
    "items": [
        {
            "item_id": "TEA-1",
            "name": "Longjing 2026",
            "category": "tea",
            "brand": "West Lake",
            "currency": "CNY",
            "price_minor": 12800,
            "url": "https://shop.example/tea-1",
            "image_url": "https://shop.example/tea-1.jpg",
        }
    ]
    * 4,
    "shop": {"name": "Shop", "url": "https://shop.example", "postal_address": "1 West Lake Road", "locale": "en"},
    "campaign": {"id": "0190c0de", "name": "Spring tea"},
    "unsubscribe_url": "https://shop.example/e/u/sample",
    "unsubscribe_label": "Unsubscribe",
    "view_url": "https://shop.example/e/v/sample",
    "open_url": "",
}


def customer_variables(facts: Mapping[str, Any]) -> dict[str, Any]:
    """`customer` of a template: its own fields and, beside `traits`, every trait under its own name as well."""
    traits = facts.get("traits") or {}
    return {
        **traits,
        "id": str(facts["customer_id"]),
        "user_id": facts.get("user_id"),
        "name": facts.get("name") or traits.get("name") or "",
        "email": facts.get("email") or "",
        "locale": facts.get("locale") or "",
        "country": facts.get("country") or "",
        "city": facts.get("city") or "",
        "traits": traits,
    }


def message_variables(
    customer: Mapping[str, Any],
    items: Sequence[Mapping[str, Any]],
    shop: Mapping[str, Any],
    campaign: Mapping[str, Any],
    links: Mapping[str, str],
) -> dict[str, Any]:
    """All variables of one message; `links`: unsubscribe_url, view_url, open_url."""
    return {
        "customer": customer,
        "items": list(items),
        "shop": shop,
        "campaign": campaign,
        "unsubscribe_label": unsubscribe_label(str(shop.get("locale") or "en")),
        **links,
    }


def unsubscribe_label(locale: str) -> str:
    """The word for leaving, in the shop's language."""
    return UNSUBSCRIBE_LABELS.get(locale[:2].lower(), UNSUBSCRIBE_LABELS["en"])


def without_private(value: Any) -> Any:
    """A value from outside without the private-use characters that mark our links."""
    if isinstance(value, str):
        return value if value.isascii() else value.translate(PRIVATE)
    if isinstance(value, dict):
        return {key: without_private(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_private(inner) for inner in value]
    return value
