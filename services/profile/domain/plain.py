"""Plain events: the shape that nearly all have, judged by compiled loops at a fraction of what domain/events.py takes.

Plain is what is of type track, page or screen, belongs to a userId or an anonymousId that is no address, phone number
or placeholder, has a message id and a usual time stamp or none, and nothing in it that could have to be sealed or
refused. Of such an event these loops tell where its parts stand; of any other only that it is none. domain/events.py is
the rule, and a test holds that both make the same of every event.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numba import types

from services.profile.domain import contacts, personal
from services.profile.domain.events import LONGEST_MESSAGE_ID, LONGEST_NAME
from services.profile.domain.json_text import BYTES, COMMA, QUOTE, after_space, hash_of, is_among, string_at, value_at
from services.profile.domain.json_text import hashes as hashes_of
from services.profile.domain.plain_values import as_instant, is_plain_id, is_plain_name, is_word
from services.profile.domain.times import EARLIEST
from shared.compiled import compiled

# The parts of an event; those that its payload keeps stand first, in the order it keeps them.
USER_ID, ANONYMOUS_ID, NAME, CATEGORY, PROPERTIES, CONTEXT, INTEGRATIONS = range(7)
KEPT: Final = 7
TYPE, MESSAGE_ID, EVENT, TIMESTAMP, OTHER = range(KEPT, 12)
PARTS: Final = 12
_OBJECTS: Final = 1 << PROPERTIES | 1 << CONTEXT | 1 << INTEGRATIONS

NAMES: Final = {
    "userId": USER_ID, "anonymousId": ANONYMOUS_ID, "name": NAME, "category": CATEGORY, "properties": PROPERTIES,
    "context": CONTEXT, "integrations": INTEGRATIONS, "type": TYPE, "messageId": MESSAGE_ID, "event": EVENT,
    "timestamp": TIMESTAMP, "previousId": OTHER, "groupId": OTHER, "traits": OTHER, "originalTimestamp": OTHER,
    "sentAt": OTHER,
}  # fmt: skip
_HASH_TO_PART: Final = {int(hashes_of([name])[0]): part for name, part in NAMES.items()}
_NAME_HASHES: Final = hashes_of(NAMES)
_NAME_PARTS: Final = np.array([_HASH_TO_PART[int(value)] for value in _NAME_HASHES], dtype=np.int64)
_LOOKED_BACK: Final = 16
_BATCH: Final = hashes_of(["batch"])[0]
# Whatever stands under one of these is for domain/personal.py to look at.
_PERSONAL: Final = hashes_of(personal.CONTACT_KEYS | personal.PEOPLE_KEYS | personal.DEVICE_KEYS)
_NOBODY: Final = hashes_of(contacts.NO_ID)

SPOTS: Final = types.Array(types.int32, 3, "C")
PAIRS: Final = types.Array(types.int32, 2, "C")
NUMBERS: Final = types.Array(types.int32, 1, "C")
INSTANTS: Final = types.Array(types.int64, 1, "C")
TRUTHS: Final = types.Array(types.boolean, 1, "C")


@dataclass(frozen=True)
class Outline:
    """Where the events of a batch and their parts stand in its body (n events; begin and end of each, in bytes).

    `bounds` (n × 2); `parts` (n × PARTS × 2, an end of 0: there is none; texts with their quotes); `occurred` (n,
    microseconds since 1970) and `parts` only where `is_plain` (n). `contexts` (k × 2) are the different contexts, and
    `context_of` (n) tells which an event has (-1: none).
    """

    is_plain: Any
    bounds: Any
    parts: Any
    occurred: Any
    context_of: Any
    contexts: Any


def outline(body: bytes, events: int, received: int) -> Outline | None:
    """The outline of a batch that msgspec has read and found to have so many events; None where it has no plain shape.

    `received`: now, in microseconds since 1970; nothing plain happened later.
    """
    found = Outline(
        np.zeros(events, dtype=np.bool_),
        np.zeros((events, 2), dtype=np.int32),
        np.zeros((events, PARTS, 2), dtype=np.int32),
        np.full(events, received, dtype=np.int64),
        np.full(events, -1, dtype=np.int32),
        np.zeros((events, 2), dtype=np.int32),
    )
    contexts = _outline(
        np.frombuffer(body, dtype=np.uint8), received, found.is_plain, found.bounds, found.parts, found.occurred,
        found.context_of, found.contexts,
    )  # fmt: skip
    return replace(found, contexts=found.contexts[:contexts]) if contexts >= 0 else None


def message_ids(body: bytes, found: Outline) -> Iterable[bytes]:
    """The message ids of the plain events."""
    return (body[begin + 1 : end - 1] for begin, end in found.parts[found.is_plain, MESSAGE_ID].tolist())


@compiled(BYTES, types.int64)
def _events_from(text: Any, at: int) -> int:
    """Where the array `batch` begins among the members of the envelope that stand from `at` on.

    -1: it does not; -2: a name is written in a way that would have to be read first.
    """
    while at < text.size and text[at] == QUOTE:
        end, marks = string_at(text, at)
        is_batch = hash_of(text, at + 1, end - 1) == _BATCH
        at = after_space(text, after_space(text, end) + 1)
        if is_batch or marks != 0:
            return at if is_batch and at < text.size and text[at] == ord("[") else -2
        at, _ = value_at(text, at, _NOBODY)
        at = after_space(text, at)
        if at < text.size and text[at] == COMMA:
            at = after_space(text, at + 1)
    return -1


@compiled(BYTES, types.int64, PAIRS, types.int64)
def _same_context(text: Any, begin: int, contexts: Any, known: int) -> int:
    """Which of the last contexts known stands at `begin` again; -1: none. (An object ends where its text does.)"""
    for number in range(known - 1, max(known - _LOOKED_BACK, 0) - 1, -1):
        first, size = contexts[number, 0], contexts[number, 1] - contexts[number, 0]
        if begin + size <= text.size:
            place = size - 1
            while place >= 0 and text[first + place] == text[begin + place]:
                place -= 1
            if place < 0:
                return number
    return -1


@compiled(BYTES, types.int64, PAIRS, PAIRS, types.int64)
def _parts_at(text: Any, at: int, parts: Any, contexts: Any, known: int) -> tuple[int, int]:
    """Write down where the parts of the event at `at` stand: (its end, negative where it is not plain; its context)."""
    marks, context, at = 0, -1, after_space(text, at + 1)
    while at < text.size and text[at] == QUOTE:
        end, found = string_at(text, at)
        marks |= found
        name = hash_of(text, at + 1, end - 1)
        begin = after_space(text, after_space(text, end) + 1)
        part = -1
        if is_among(_NAME_HASHES, name) and text[begin] != ord("n"):  # null is the same as absent
            part = _NAME_PARTS[np.searchsorted(_NAME_HASHES, name)]
        if part == CONTEXT:
            context = _same_context(text, begin, contexts, known)
        if part == CONTEXT and context >= 0:
            at = begin + contexts[context, 1] - contexts[context, 0]
        else:
            at, found = value_at(text, begin, _PERSONAL)
            # What is in a context is looked at by itself, once for all events that have the same.
            marks |= 0 if part == CONTEXT else found
        if part >= 0:
            if part == OTHER or parts[part, 1] != 0 or text[begin] != (ord("{") if _OBJECTS >> part & 1 else QUOTE):
                marks = -1
            parts[part, 0], parts[part, 1] = begin, at
        at = after_space(text, at)
        if at < text.size and text[at] == COMMA:
            at = after_space(text, at + 1)
    return (at + 1 if marks == 0 else -at - 1), context


@compiled(BYTES, PAIRS, types.int64)
def _is_plain(text: Any, parts: Any, instant: int) -> bool:
    """Whether nothing is to be done about an event's texts, ids and time (microseconds; negative: an unusual one)."""
    is_track = is_word(text, parts[TYPE], ord("t"))
    if not (is_track or is_word(text, parts[TYPE], ord("p")) or is_word(text, parts[TYPE], ord("s"))) or instant < 0:
        return False
    length = parts[MESSAGE_ID, 1] - parts[MESSAGE_ID, 0] - 2
    if length < 1 or length > LONGEST_MESSAGE_ID:
        return False
    if not is_plain_name(text, parts[NAME], LONGEST_NAME, False):
        return False
    if is_track and not is_plain_name(text, parts[EVENT], LONGEST_NAME, True):
        return False
    if parts[USER_ID, 1] == 0 and parts[ANONYMOUS_ID, 1] == 0:
        return False
    return is_plain_id(text, parts[USER_ID], _NOBODY) and is_plain_id(text, parts[ANONYMOUS_ID], _NOBODY)


@compiled(BYTES, types.int64)
def _is_last(text: Any, at: int) -> bool:
    """Whether the array `batch` ends at `at`, and no other follows (of two msgspec reads the last)."""
    if at >= text.size or text[at] != ord("]"):
        return False
    at = after_space(text, at + 1)
    return at >= text.size or text[at] != COMMA or _events_from(text, after_space(text, at + 1)) == -1


@compiled(BYTES, types.int64, TRUTHS, PAIRS, SPOTS, INSTANTS, NUMBERS, PAIRS, lets_others_run=True)
def _outline(
    text: Any, received: int, is_plain: Any, bounds: Any, parts: Any, occurred: Any, context_of: Any, contexts: Any
) -> int:
    """Fill in an outline; how many different contexts there are, -1 where the body has no plain shape."""
    known, at = 0, _events_from(text, after_space(text, after_space(text, 0) + 1))
    if at < 0:
        return -1
    at = after_space(text, at + 1)
    for number in range(is_plain.size):
        if at >= text.size or text[at] != ord("{"):
            return -1
        end, context = _parts_at(text, at, parts[number], contexts, known)
        bounds[number, 0], bounds[number, 1] = at, abs(end)
        begin, instant = parts[number, TIMESTAMP, 0], received
        if parts[number, TIMESTAMP, 1] != 0:
            instant = as_instant(text, begin + 1, parts[number, TIMESTAMP, 1] - 1)
            instant = instant if EARLIEST <= instant <= received else -1
        occurred[number] = instant
        is_plain[number] = end > 0 and _is_plain(text, parts[number], instant)
        if is_plain[number] and parts[number, CONTEXT, 1] != 0:
            if context < 0:
                context = known
                contexts[known, 0], contexts[known, 1] = parts[number, CONTEXT, 0], parts[number, CONTEXT, 1]
                known += 1
            context_of[number] = context
        at = after_space(text, abs(end))
        if at < text.size and text[at] == COMMA:
            at = after_space(text, at + 1)
    # Of two arrays of this name the last is meant, and this was the first.
    return known if _is_last(text, at) else -1
