"""What a slot filled a message with, and which of it a link leads to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Place:
    """One item in its place, the first being 0."""

    item_id: str
    place: int
    url: str


@dataclass(frozen=True)
class Offered:
    """The answer of a slot that is in one message."""

    recommendation_id: UUID
    places: Sequence[Place]

    def behind(self, destination: str) -> Place | None:
        """The item a link leads to: its own address, or that with more behind it (`?utm_source=…`, `#size`)."""
        found = [one for one in self.places if _leads_to(destination, one.url)]
        return max(found, key=lambda one: len(one.url), default=None)


def offered(recommendation_id: UUID | None, items: Sequence[Mapping[str, Any]]) -> Offered | None:
    """What a slot gave, in its order; None where it was no slot, or it gave nothing."""
    if recommendation_id is None or not items:
        return None
    places = [Place(str(one["item_id"]), place, str(one["url"])) for place, one in enumerate(items) if one.get("url")]
    return Offered(recommendation_id, places)


def _leads_to(destination: str, url: str) -> bool:
    return destination.startswith(url) and (len(destination) == len(url) or destination[len(url)] in "?&#")
