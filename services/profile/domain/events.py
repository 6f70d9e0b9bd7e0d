"""An event as a client sends it (Segment's tracking specification), and as it goes into the intake.

Validation is msgspec's: one pass from bytes to typed fields. schemas/events.py documents the same contract.
"""

import re
from copy import deepcopy
from hashlib import blake2b
from typing import Any, Final

import msgspec

from services.profile.domain import personal, times
from services.profile.domain.claims import Claim, own_and_claims
from services.profile.domain.messages import CONTEXT, NO_CONTEXT, Arrival, Event, holds_nul

TYPES: Final = frozenset({"track", "identify", "page", "screen", "group", "alias"})
LONGEST_NAME: Final = 512
LONGEST_MESSAGE_ID: Final = 512


class Accepted(msgspec.Struct, gc=False):
    """One row of the intake. `payload` and `claims` are JSON; `occurred` is microseconds since 1970."""

    message_key: bytes
    message_id: str
    type: str
    event: str | None
    occurred: int
    own: Claim
    claims: bytes | None
    payload: bytes


class RefusedError(Exception):
    """An event that cannot be taken as it is: `code` for machines, `path` and the text for people."""

    def __init__(self, code: str, path: str, message: str) -> None:
        super().__init__(message)
        self.code, self.path, self.message = code, path, message


_decoder: Final = msgspec.json.Decoder(Event)
_encode: Final = msgspec.json.Encoder().encode
_NOTHING: Final[dict[str, Any]] = {}
_AT: Final = re.compile(r" - at `\$\.?(.*)`$")


def read_event(raw: bytes, arrival: Arrival, kind: str | None = None) -> Accepted:
    """One event from its JSON: checked, its time corrected, its particulars sealed. Raises RefusedError.

    `kind`: the type named by the address (/v1/track); None for events of a batch, which name it themselves.
    """
    if len(raw) > arrival.largest:
        raise RefusedError(
            "too_large", "", f"the event has {len(raw):,} bytes; at most {arrival.largest:,} are taken with this key"
        )
    event = _decode(raw)
    if holds_nul(raw):
        sealed_context(event.context, arrival)  # what is wrong with that is said first
        if _holds_nul(msgspec.json.decode(_encode(event))):
            raise RefusedError("unstorable", "", "a text holds the character NUL (\\u0000), which cannot be stored")
    return accept(event, arrival, kind, look=0x40 in raw or 0x5C in raw)


def accept(event: Event, arrival: Arrival, kind: str | None = None, *, look: bool) -> Accepted:
    """One decoded event, in whose texts there is no NUL, as read_event() does. Uses `event` up. Raises RefusedError.

    `look`: whether a text may hold an e-mail address (there is an @ or an escape in its JSON).
    """
    context = sealed_context(event.context, arrival) if event.context or arrival.context else NO_CONTEXT
    kind = _check(event, kind)
    if arrival.integrations:
        event.integrations = {**arrival.integrations, **(event.integrations or _NOTHING)}
    message_id = str(event.message_id) if event.message_id else arrival.new_id()
    if len(message_id) > LONGEST_MESSAGE_ID:
        raise RefusedError("invalid", "messageId", f"messageId is longer than {LONGEST_MESSAGE_ID} characters")
    happened = _when(event, arrival)
    try:
        own, claims = own_and_claims(event, kind, arrival)
        if event.properties:
            personal.seal_thing(event.properties, arrival.seal, look_at_values=look)
        if event.traits or event.integrations:
            _seal_rest(event, kind, arrival.seal, look=look)
    except personal.TooDeepError:
        raise RefusedError("too_deep", "", f"objects are nested deeper than {personal.DEEPEST} levels") from None
    except ValueError as error:
        raise RefusedError("no_identity", "userId", str(error)) from None
    event.context = context
    name = (event.event if kind == "track" else event.name) or None
    # What has a column of its own goes. Ids that are addresses or phone numbers have been sealed.
    event.type = event.message_id = event.event = event.timestamp = event.original_timestamp = event.sent_at = None
    return Accepted(
        message_key(arrival, message_id.encode()),
        message_id,
        kind,
        name,
        happened,
        own,
        _encode(claims) if claims else None,
        _encode(event),
    )


def message_key(arrival: Arrival, message_id: bytes) -> bytes:
    """16 bytes by which a message is known again; a public key's are others than those of a server's message."""
    return blake2b(arrival.salt + message_id, digest_size=16).digest()


def _decode(raw: bytes) -> Event:
    try:
        return _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _undecodable(error) from None


def _undecodable(error: Exception, within: str = "") -> RefusedError:
    if isinstance(error, msgspec.ValidationError):
        text = str(error)
        at = _AT.search(text)
        return RefusedError("invalid", at[1] if at else within, _AT.sub("", text))
    if isinstance(error, UnicodeDecodeError):
        return RefusedError("unreadable", "", "the text is not UTF-8")
    if isinstance(error, msgspec.DecodeError):
        return RefusedError("unreadable", "", f"this is not JSON: {error}")
    return RefusedError("too_deep", "", f"objects are nested deeper than {personal.DEEPEST} levels")


def sealed_context(own: msgspec.Raw, arrival: Arrival) -> msgspec.Raw:
    """An event's context with what its batch says of all its events (its own wins), particulars sealed; as JSON.

    Raises RefusedError.
    """
    raw = bytes(own)
    found = arrival.contexts.get(raw)
    if found is None:
        try:
            found = _read_context(raw, arrival)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _undecodable(error, "context") from None
        except personal.TooDeepError:
            raise _undecodable(RecursionError()) from None
        arrival.contexts[raw] = found
    return found


def _read_context(raw: bytes, arrival: Arrival) -> msgspec.Raw:
    own = CONTEXT.decode(raw) if raw else None
    if own is None and not arrival.context:
        return NO_CONTEXT
    # A copy: sealing works in place, and the next event must not find the batch's word sealed already.
    context = {**deepcopy(arrival.context or _NOTHING), **(own or _NOTHING)}
    look = bool(arrival.context) or 0x40 in raw or 0x5C in raw
    personal.seal_thing(context, arrival.seal, look_at_values=look)
    return msgspec.Raw(_encode(context))


def _check(event: Event, kind: str | None) -> str:
    kind = kind or event.type
    if kind is None:
        raise RefusedError("invalid", "type", "the event has no type")
    if kind not in TYPES:
        raise RefusedError(
            "invalid", "type", f"there is no event type {kind[:40]!r}; there are {', '.join(sorted(TYPES))}"
        )
    if kind == "track":
        if not event.event or event.event.isspace():
            raise RefusedError("invalid", "event", "a track event needs a name in `event`")
        if len(event.event) > LONGEST_NAME:
            raise RefusedError("invalid", "event", f"the name of the event is longer than {LONGEST_NAME} characters")
    elif event.name is not None and len(event.name) > LONGEST_NAME:
        raise RefusedError("invalid", "name", f"the name is longer than {LONGEST_NAME} characters")
    return kind


def _when(event: Event, arrival: Arrival) -> int:
    if event.timestamp and not (arrival.offset or event.original_timestamp or event.sent_at):  # nearly all
        try:
            happened = times.parse(event.timestamp)
        except times.TimeError as error:
            raise RefusedError("bad_time", "timestamp", f"the time cannot be used: {error}") from None
        if times.EARLIEST <= happened <= arrival.received:
            return happened
    path = "timestamp"
    try:
        timestamp = times.parse(event.timestamp) if event.timestamp else None
        path = "originalTimestamp" if event.original_timestamp else path
        original = times.parse(event.original_timestamp) if event.original_timestamp else None
        offset = arrival.offset
        if event.sent_at and not arrival.imported:
            path = "sentAt"
            offset = times.clock_offset(times.parse(event.sent_at), arrival.received)
            path = "timestamp"
        return times.occurred(original, timestamp, offset, arrival.received)
    except times.TimeError as error:
        raise RefusedError("bad_time", path, f"the time cannot be used: {error}") from None


def _seal_rest(event: Event, kind: str, seal: personal.Seal, *, look: bool) -> None:
    if event.integrations:
        personal.seal_thing(event.integrations, seal, look_at_values=look)
    if event.traits:
        # The traits of a group are a company's: its name is no person's.
        walk = personal.seal_thing if kind == "group" else personal.seal_person
        walk(event.traits, seal, look_at_values=look)


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in key or _holds_nul(item) for key, item in value.items())
    return isinstance(value, list) and any(map(_holds_nul, value))
