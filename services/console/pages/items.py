"""Recommended items as a page shows them, and the words for how they were found."""

from typing import Any, Final
from zlib import crc32

from flask_babel import lazy_gettext as _

REASONS: Final = {
    "buy_again": _("Bought before, and due again"),
    "for_you": _("Fits what they have bought"),
    "fits_cart": _("Goes with what is in the cart"),
    "similar": _("Like what they look at"),
    "popular": _("Popular now"),
    "new": _("New in the shop"),
}

STRATEGIES: Final = {
    "for_you": _("From this person's own history"),
    "session": _("From this moment only"),
    "popular": _("Nothing is known of this person: what is popular"),
    "similar": _("Like one item"),
    "new_arrivals": _("New in the shop"),
}

SHORTFALLS: Final = {
    "catalogue_too_small": _("The catalogue has fewer items than asked for."),
    "too_few_available": _("Fewer items than asked for can be bought now."),
    "too_few_match_filter": _("Fewer items than asked for match the filter."),
    "too_few_not_excluded": _("The rest has been bought before or was excluded."),
}


def shown(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Items with the words and the colour of their tile. Pictures of other sites are not loaded here."""
    return [
        {
            **item,
            "why": REASONS.get(item.get("reason") or "", item.get("reason") or ""),
            "tile": crc32(str(item.get("category") or item["item_id"]).encode()) % 8 + 1,
            "letter": (item.get("name") or item["item_id"]).strip()[:1].upper(),
        }
        for item in items
    ]
