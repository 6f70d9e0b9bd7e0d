"""Walking through JSON without making objects of it: where a value ends, and what it holds that has to be looked at.

The text is known to be JSON: msgspec has read it. Positions are of bytes.
"""

from typing import Any, Final

import numpy as np
from numba import types

from shared.compiled import compiled

# What a value holds: an escape or an @ in a text, a key that may say "this is personal", a number that a float may not
# hold as it stands, objects within objects within objects.
ESCAPE: Final = 1
AT: Final = 2
PERSONAL: Final = 4
NUMBER: Final = 8
DEEP: Final = 16

DEEPEST: Final = 32
MOST_DIGITS: Final = 15
_OFFSET: Final = np.uint64(0xCBF29CE484222325)
_PRIME: Final = np.uint64(0x100000001B3)

BYTES: Final = types.Array(types.uint8, 1, "C", readonly=True)
HASHES: Final = types.Array(types.uint64, 1, "C", readonly=True)


def hashes(names: Any) -> Any:
    """The hashes of texts, as hash_of() makes them, in order of size (uint64)."""
    found = []
    for name in names:
        value = int(_OFFSET)
        for byte in name.encode():
            value = ((value ^ byte) * int(_PRIME)) & 0xFFFFFFFFFFFFFFFF
        found.append(value)
    return np.array(sorted(found), dtype=np.uint64)


@compiled(BYTES, types.int64)
def after_space(text: Any, at: int) -> int:
    """Where the next byte is that is no white space."""
    while at < text.size and (text[at] == 32 or text[at] == 10 or text[at] == 13 or text[at] == 9):
        at += 1
    return at


@compiled(BYTES, types.int64)
def string_at(text: Any, at: int) -> tuple[int, int]:
    """(end, marks) of the string whose opening quote stands at `at`."""
    marks = 0
    at += 1
    while at < text.size:
        byte = text[at]
        if byte == 34:
            break
        if byte == 92:
            marks |= ESCAPE
            at += 1
        elif byte == 64:
            marks |= AT
        at += 1
    return at + 1, marks


@compiled(BYTES, types.int64, types.int64)
def hash_of(text: Any, begin: int, end: int) -> Any:
    """The hash (FNV-1a) of the bytes from `begin` to `end`."""
    value = _OFFSET
    for at in range(begin, end):
        value = (value ^ np.uint64(text[at])) * _PRIME
    return value


@compiled(BYTES, types.int64, types.int64)
def hash_of_small(text: Any, begin: int, end: int) -> Any:
    """The hash of the bytes from `begin` to `end`, capital letters of ASCII taken as small ones."""
    value = _OFFSET
    for at in range(begin, end):
        byte = text[at]
        value = (value ^ np.uint64(byte + 32 if 65 <= byte <= 90 else byte)) * _PRIME
    return value


@compiled(HASHES, types.uint64)
def is_among(sorted_hashes: Any, value: Any) -> bool:
    """Whether a hash is one of those."""
    low, high = 0, sorted_hashes.size
    while low < high:
        middle = (low + high) // 2
        if sorted_hashes[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low < sorted_hashes.size and sorted_hashes[low] == value


@compiled(BYTES, types.int64)
def _number_at(text: Any, at: int) -> tuple[int, int]:
    digits, marks = 0, 0
    while at < text.size:
        byte = text[at]
        if 48 <= byte <= 57:
            digits += 1
        elif byte == 101 or byte == 69:
            marks = NUMBER
        elif byte != 45 and byte != 46 and byte != 43:
            break
        at += 1
    return at, (NUMBER if digits > MOST_DIGITS else marks)


@compiled(BYTES, types.int64, HASHES)
def value_at(text: Any, at: int, personal: Any) -> tuple[int, int]:
    """(end, marks) of the value that begins at `at`. `personal`: hashes of the keys that mark a value as PERSONAL."""
    depth, marks = 0, 0
    while at < text.size:
        byte = text[at]
        if byte == 34:
            end, found = string_at(text, at)
            marks |= found
            if depth > 0:
                follows = after_space(text, end)
                if follows < text.size and text[follows] == 58:  # it was a key
                    if is_among(personal, hash_of(text, at + 1, end - 1)):
                        marks |= PERSONAL
                    at = after_space(text, follows + 1)
                    continue
            at = end
        elif byte == 123 or byte == 91:
            depth += 1
            at += 1
            if depth > DEEPEST:
                marks |= DEEP
            continue
        elif byte == 125 or byte == 93:
            depth -= 1
            at += 1
        elif byte == 44 or byte == 32 or byte == 10 or byte == 13 or byte == 9:
            at += 1
            continue
        elif byte == 45 or 48 <= byte <= 57:
            at, found = _number_at(text, at)
            marks |= found
        else:  # true, false, null
            while at < text.size and 97 <= text[at] <= 122:
                at += 1
        if depth <= 0:
            break
    return at, marks
