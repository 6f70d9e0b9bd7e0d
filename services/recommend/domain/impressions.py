"""What people say they were shown and clicked on: ordinary events that name the answer they are about."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, Final
from uuid import UUID

from services.recommend.domain.interactions import Entry, identifier, uuid_of

SHOWN: Final = "Recommendation Shown"
CLICKED: Final = "Recommendation Clicked"
_MOST_ITEMS: Final = 100
_LONGEST_SLOT: Final = 63
_HIGHEST_PLACE: Final = 32_767


class Sight(IntEnum):
    """What happened to what was shown. The numbers are stored: never reuse one."""

    SHOWN = 1
    CLICKED = 2


_KINDS: Final = {SHOWN: Sight.SHOWN, CLICKED: Sight.CLICKED}


@dataclass(frozen=True, slots=True)
class Impression:
    """Some items of one answer that were seen, or one that was clicked on. `slot`: as the sender says."""

    position: int
    kind: Sight
    recommendation_id: UUID | None
    slot: str | None
    identity_id: UUID | None
    customer_id: UUID | None
    items: tuple[str, ...]
    place: int | None
    occurred_at: datetime


def impression_of(entry: Entry) -> Impression | None:
    """What an entry says was shown or clicked; None for other entries, and where it names no item."""
    kind = _KINDS.get(entry.event or "") if entry.type == "track" else None
    if kind is None:
        return None
    told = entry.properties
    items = tuple(_items(told.get("items"))) or tuple(_items([told.get("item_id")]))
    if not items:
        return None
    slot, place = told.get("slot"), told.get("position")
    return Impression(
        position=entry.position,
        kind=kind,
        recommendation_id=uuid_of(told.get("recommendation_id")),
        slot=slot if isinstance(slot, str) and 0 < len(slot) <= _LONGEST_SLOT and "\0" not in slot else None,
        identity_id=entry.identity_id,
        customer_id=entry.customer_id,
        items=items if kind is Sight.SHOWN else items[:1],
        place=place if type(place) is int and 0 <= place <= _HIGHEST_PLACE else None,
        occurred_at=entry.occurred_at,
    )


def _items(told: Any) -> Iterable[str]:
    """Each item once; an item is its id, or an object with an item_id."""
    if not isinstance(told, list):
        return ()
    ids = (identifier(one.get("item_id") if isinstance(one, dict) else one) for one in told[:_MOST_ITEMS])
    return dict.fromkeys(one for one in ids if one is not None)
