"""Rows of plain events for the intake, laid out in the binary form of COPY by one compiled loop.

The form of a row is that of store/intake.py; a test holds that both write the same.
"""

from typing import Any, Final

import numpy as np
from numba import types

from services.profile.domain.json_text import BYTES, COMMA
from services.profile.domain.plain import (
    ANONYMOUS_ID,
    CONTEXT,
    EVENT,
    INSTANTS,
    KEPT,
    MESSAGE_ID,
    NAME,
    NAMES,
    NUMBERS,
    SPOTS,
    TRUTHS,
    TYPE,
    USER_ID,
    Outline,
)
from services.profile.store.intake import POSTGRES_EPOCH
from shared.compiled import compiled

_OUT: Final = types.Array(types.uint8, 1, "C")
_KEYS: Final = types.Array(types.uint8, 2, "C", readonly=True)
_OFFSETS: Final = types.Array(types.int64, 1, "C")


def _literal(*pieces: bytes) -> tuple[Any, Any]:
    """Pieces of bytes laid end to end, and where each begins (one more than there are)."""
    return np.frombuffer(b"".join(pieces), dtype=np.uint8), np.cumsum([0, *map(len, pieces)])


_FIELDS, _FIELD_AT = _literal(
    *(f'"{name}":'.encode() for name, part in sorted(NAMES.items(), key=lambda n: n[1]) if part < KEPT)
)
_USER, _ANONYMOUS = (np.frombuffer(kind, dtype=np.uint8) for kind in (b"user_id", b"anonymous_id"))
_CLAIM, _CLAIM_END = (np.frombuffer(text, dtype=np.uint8) for text in (b'[["anonymous_id",', b",null]]"))
_BESIDE: Final = 256  # bytes of a row beside its texts, at most


def pack(body: bytes, found: Outline, keys: bytes, contexts: list[bytes], sender: bytes) -> tuple[bytes, Any]:
    """The rows of the plain events, end to end, and where each event's row ends (n; no row: where the last did).

    `keys`: 16 bytes for each plain event; `contexts`: JSON, the first for events without one, empty for none; `sender`:
    the first fields of every row.
    """
    joined, offsets = _literal(*contexts)
    longest = max(map(len, contexts))
    out = np.empty(len(body) * 3 + found.is_plain.size * (len(sender) + longest + _BESIDE), dtype=np.uint8)
    ends = np.zeros(found.is_plain.size, dtype=np.int64)
    size = _pack(
        np.frombuffer(body, dtype=np.uint8), found.is_plain, found.parts, found.occurred, found.context_of,
        np.frombuffer(keys, dtype=np.uint8).reshape(-1, 16), joined, offsets, np.frombuffer(sender, dtype=np.uint8),
        out, ends,
    )  # fmt: skip
    return out[:size].tobytes(), ends


@compiled(_OUT, types.int64, BYTES, types.int64, types.int64)
def _put(out: Any, at: int, text: Any, begin: int, end: int) -> int:
    """Copy text[begin:end] to out[at:]; where it ends."""
    for place in range(begin, end):
        out[at] = text[place]
        at += 1
    return at


@compiled(_OUT, types.int64, types.int64, types.int64)
def _put_number(out: Any, at: int, value: int, size: int) -> int:
    """Write an integer of `size` bytes, the highest first."""
    for place in range(size):
        out[at + place] = (value >> (8 * (size - 1 - place))) & 0xFF
    return at + size


@compiled(_OUT, types.int64, BYTES, types.int64, types.int64)
def _put_field(out: Any, at: int, text: Any, begin: int, end: int) -> int:
    """Write text[begin:end] with its length before it; null where it is empty."""
    if end <= begin:
        return _put_number(out, at, -1, 4)
    return _put(out, _put_number(out, at, end - begin, 4), text, begin, end)


@compiled(_OUT, types.int64, BYTES, types.Array(types.int32, 2, "C"), BYTES, types.int64, types.int64)
def _put_payload(out: Any, at: int, text: Any, parts: Any, context: Any, context_begin: int, context_end: int) -> int:
    """Write what an event's payload keeps, as a jsonb."""
    begin = at
    at = _put_number(out, at + 4, (1 << 8) + ord("{"), 2)  # the version of jsonb's form before it
    for part in range(KEPT):
        if (context_end > context_begin) if part == CONTEXT else parts[part, 1] != 0:
            at = _put(out, at, _FIELDS, _FIELD_AT[part], _FIELD_AT[part + 1])
            if part == CONTEXT:
                at = _put(out, at, context, context_begin, context_end)
            else:
                at = _put(out, at, text, parts[part, 0], parts[part, 1])
            out[at] = COMMA
            at += 1
    at -= out[at - 1] == COMMA
    out[at] = ord("}")
    _put_number(out, begin, at + 1 - begin - 4, 4)
    return at + 1


@compiled(_OUT, types.int64, BYTES, types.Array(types.int32, 2, "C"))
def _put_claims(out: Any, at: int, text: Any, parts: Any) -> int:
    """Write the anonymous id beside a user id as a claim (jsonb); null where there are not both."""
    if parts[USER_ID, 1] == 0 or parts[ANONYMOUS_ID, 1] == 0:
        return _put_number(out, at, -1, 4)
    size = parts[ANONYMOUS_ID, 1] - parts[ANONYMOUS_ID, 0]
    at = _put_number(out, at, 1 + _CLAIM.size + size + _CLAIM_END.size, 4)
    at = _put(out, _put_number(out, at, 1, 1), _CLAIM, 0, _CLAIM.size)
    at = _put(out, at, text, parts[ANONYMOUS_ID, 0], parts[ANONYMOUS_ID, 1])
    return _put(out, at, _CLAIM_END, 0, _CLAIM_END.size)


@compiled(BYTES, TRUTHS, SPOTS, INSTANTS, NUMBERS, _KEYS, BYTES, _OFFSETS, BYTES, _OUT, _OFFSETS, lets_others_run=True)
def _pack(  # noqa: PLR0913, PLR0917  # arrays, one beside the other
    text: Any, is_plain: Any, spots: Any, occurred: Any, context_of: Any, keys: Any, contexts: Any, context_at: Any,
    sender: Any, out: Any, ends: Any,
) -> int:  # fmt: skip
    at, row = 0, 0
    for number in range(is_plain.size):
        if is_plain[number]:
            parts = spots[number]
            own = USER_ID if parts[USER_ID, 1] != 0 else ANONYMOUS_ID
            name = EVENT if text[parts[TYPE, 0] + 1] == ord("t") else NAME  # of a track: its event
            at = _put(out, at, sender, 0, sender.size)
            at = _put_field(out, at, text, parts[TYPE, 0] + 1, parts[TYPE, 1] - 1)
            at = _put_field(out, at, text, parts[name, 0] + 1, parts[name, 1] - 1)
            kind = _USER if own == USER_ID else _ANONYMOUS
            at = _put_field(out, at, kind, 0, kind.size)
            at = _put_field(out, at, keys[row], 0, 16)
            at = _put_number(out, _put_number(out, at, 8, 4), occurred[number] - POSTGRES_EPOCH, 8)
            at = _put_field(out, at, text, parts[MESSAGE_ID, 0] + 1, parts[MESSAGE_ID, 1] - 1)
            at = _put_field(out, at, text, parts[own, 0] + 1, parts[own, 1] - 1)
            at = _put_number(out, at, -1, 4)  # nothing sealed
            at = _put_claims(out, at, text, parts)
            context = context_of[number] + 1
            at = _put_payload(out, at, text, parts, contexts, context_at[context], context_at[context + 1])
            row += 1
        ends[number] = at
    return at
