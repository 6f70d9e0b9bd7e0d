"""What arrives: an event of Segment's tracking specification, and the request that brought it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

NO_CONTEXT: Final = msgspec.Raw()
CONTEXT: Final = msgspec.json.Decoder(dict[str, Any] | None)
Text = str | None
Id = str | int | None
Object = dict[str, Any] | None


class Event(msgspec.Struct, rename="camel", omit_defaults=True, gc=False):
    """One event of the wire. Unknown fields are let go; null is the same as absent.

    The context stays JSON: it is half of an event, and most events of a request have the same one.
    What is decoded from JSON has no cycles, so the garbage collector need not know it.
    """

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
    context: msgspec.Raw = NO_CONTEXT
    integrations: Object = None
    timestamp: Text = None
    original_timestamp: Text = None
    sent_at: Text = None

    def context_object(self) -> dict[str, Any]:
        """Its context, decoded. Raises msgspec.DecodeError (and ValidationError: it is no object)."""
        return CONTEXT.decode(self.context) or {} if self.context else {}


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
    # What became of the contexts met so far in this request.
    contexts: dict[bytes, msgspec.Raw] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # A public key must not be able to use up the message ids of a server's events.
        object.__setattr__(self, "salt", b"server:" if self.trusted else b"public:")


def holds_nul(text: bytes) -> bool:
    """Whether a text of this JSON may hold U+0000, which cannot be stored."""
    return b"\\" in text and b"\\u0000" in text
