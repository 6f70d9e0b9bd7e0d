"""What arrives: an event of Segment's tracking specification, and the request that brought it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

Text = str | None
Id = str | int | None
Object = dict[str, Any] | None


class Event(msgspec.Struct, rename="camel", omit_defaults=True):
    """One event of the wire. Unknown fields are let go; null is the same as absent."""

    type: Text = None
    message_id: Id = None
    user_id: Id = None
    anonymous_id: Id = None
    previous_id: Id = None
    group_id: Id = None
    event: Text = None
    name: Text = None
    category: Text = None
    properties: Object = None
    traits: Object = None
    context: Object = None
    integrations: Object = None
    timestamp: Text = None
    original_timestamp: Text = None
    sent_at: Text = None


@dataclass(frozen=True)
class Arrival:
    """What is known of a request beside its events. Instants and offsets are in microseconds.

    `largest`: bytes one event may have; `seal` and `index` (kind, value) -> keyed hash come from the caller, who
    holds the keys; `new_id` makes message ids for events without one.
    """

    received: int
    offset: int
    region: str
    trusted: bool
    imported: bool
    largest: int
    seal: Callable[[str], str]
    index: Callable[[str, str], str]
    new_id: Callable[[], str]
    context: Mapping[str, Any] | None = None
    integrations: Mapping[str, Any] | None = None
    salt: bytes = field(init=False)

    def __post_init__(self) -> None:
        # A public key must not be able to use up the message ids of a server's events.
        object.__setattr__(self, "salt", b"server:" if self.trusted else b"public:")
