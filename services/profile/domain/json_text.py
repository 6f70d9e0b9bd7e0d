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

QUOTE, BACKSLASH, AT_SIGN, COLON, COMMA = (ord(character) for character in '"\\@:,')
OPEN: Final = ord("{"), ord("[")
CLOSE: Final = ord("}"), ord("]")
SPACES: Final = ord(" "), ord("\n"), ord("\r"), ord("\t")
ZERO, NINE = ord("0"), ord("9")
SIGNS: Final = ord("-"), ord("+"), ord(".")
EXPONENT: Final = ord("e"), ord("E")
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
    while at < text.size and text[at] in SPACES:
        at += 1
    return at


@compiled(BYTES, types.int64)
def string_at(text: Any, at: int) -> tuple[int, int]:
    """(end, marks) of the string whose opening quote stands at `at`."""
    marks = 0
    at += 1
    while at < text.size:
        byte = text[at]
        if byte == QUOTE:
            break
        if byte == BACKSLASH:
            marks |= ESCAPE
            at += 1
        elif byte == AT_SIGN:
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
    return bool(low < sorted_hashes.size and sorted_hashes[low] == value)


@compiled(BYTES, types.int64)
def _number_at(text: Any, at: int) -> tuple[int, int]:
    digits, marks = 0, 0
    while at < text.size:
        byte = text[at]
        if ZERO <= byte <= NINE:
            digits += 1
        elif byte in EXPONENT:
            marks = NUMBER
        elif byte not in SIGNS:
            break
        at += 1
    return at, (NUMBER if digits > MOST_DIGITS else marks)


@compiled(BYTES, types.int64)
def _word_at(text: Any, at: int) -> int:
    """Where true, false or null ends."""
    while at < text.size and ord("a") <= text[at] <= ord("z"):
        at += 1
    return at


@compiled(BYTES, types.int64, HASHES)
def _text_at(text: Any, at: int, personal: Any) -> tuple[int, int, bool]:
    """(end, marks, whether it is a key) of a string; a key ends where its colon does."""
    end, marks = string_at(text, at)
    follows = after_space(text, end)
    if follows >= text.size or text[follows] != COLON:
        return end, marks, False
    if is_among(personal, hash_of(text, at + 1, end - 1)):
        marks |= PERSONAL
    return follows + 1, marks, True


@compiled(BYTES, types.int64, HASHES)
def value_at(text: Any, at: int, personal: Any) -> tuple[int, int]:
    """(end, marks) of the value that begins at `at`. `personal`: hashes of the keys that mark a value as PERSONAL."""
    depth, marks, goes_on = 0, 0, True
    while at < text.size and goes_on:
        byte, found = text[at], 0
        if byte == QUOTE:
            at, found, goes_on = _text_at(text, at, personal)
        elif byte in OPEN:
            at, depth, goes_on = at + 1, depth + 1, True
            found = DEEP if depth > DEEPEST else 0
        elif byte in CLOSE:
            at, depth, goes_on = at + 1, depth - 1, False
        elif byte == COMMA or byte in SPACES:
            at, goes_on = at + 1, True
        elif ord("a") <= byte <= ord("z"):
            at, goes_on = _word_at(text, at), False
        else:
            at, found = _number_at(text, at)
            goes_on = False
        marks |= found
        goes_on = goes_on or depth > 0
    return at, marks
