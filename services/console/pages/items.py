"""Recommended items as a page shows them, and the words for how they were found."""

from typing import Any, Final
from zlib import crc32

from flask_babel import get_locale
from flask_babel import lazy_gettext as _

STRATEGIES: Final = {
    "for_you": _("For you"),
    "similar": _("Similar"),
    "bought_together": _("Often bought together"),
    "buy_again": _("Bought before, and due again"),
    "trending": _("Wanted more than usual"),
    "new_arrivals": _("New in the shop"),
    "recently_viewed": _("Seen lately"),
    "cart_complements": _("Goes with what is in the cart"),
    "popular": _("Popular now"),
    "session": _("From this moment only"),
    "pinned": _("Put there by the shop"),
}
# Those a slot can ask for.
ASKED: Final = tuple(STRATEGIES)[:9]

SHORTFALLS: Final = {
    "catalogue_too_small": _("The catalogue has fewer items than asked for."),
    "too_few_available": _("Fewer items than asked for can be bought now."),
    "too_few_match_filter": _("Fewer items than asked for match the filter."),
    "too_few_in_price_band": _("Fewer items than asked for are in the price band."),
    "too_few_not_excluded": _("The rest has been bought before or was excluded."),
    "too_few_proposed": _("The strategies found fewer items than asked for."),
    "too_few_within_quotas": _("The quotas allow no more."),
}


def shown(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Items with the words and the colour of their tile. Pictures of other sites are not loaded here."""
    language = "zh" if str(get_locale()).startswith("zh") else "en"
    return [
        {
            **item,
            "why": item["reason_text"][language],
            "tile": crc32(str(item.get("category") or item["item_id"]).encode()) % 8 + 1,
            "letter": (item.get("name") or item["item_id"]).strip()[:1].upper(),
        }
        for item in items
    ]


def in_words(strategies: list[str]) -> str:
    """The strategies that filled the places of an answer, in their order."""
    return " → ".join(str(STRATEGIES.get(one, one)) for one in strategies)
