"""Texts of plain events, by their bytes: ids that mean nothing but themselves, names, time stamps."""

from typing import Any, Final

import numpy as np
from numba import types

from services.profile.domain.contacts import LONGEST_ID
from services.profile.domain.json_text import BYTES, HASHES, NINE, ZERO, hash_of_small, is_among
from shared.compiled import compiled

SPOT: Final = types.Array(types.int32, 1, "C")
_ASCII: Final = 126
_MINUTE: Final = 60
_HOUR: Final = 3_600
_DAY: Final = 86_400
_MICROS: Final = 1_000_000
_MONTH_DAYS: Final = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
# First bytes of the characters beyond ASCII that str.isspace() is true of.
_MAY_BE_SPACE: Final = np.array([0x20, 0xC2, 0xE1, 0xE2, 0xE3])
_TRACK, _PAGE, _SCREEN = (np.frombuffer(word, dtype=np.uint8) for word in (b"track", b"page", b"screen"))


@compiled(BYTES, SPOT, types.int64)
def is_word(text: Any, spot: Any, first: int) -> bool:
    """Whether the text at `spot` is the type of event that begins with this byte: track, page or screen."""
    word = _TRACK if first == ord("t") else (_PAGE if first == ord("p") else _SCREEN)
    if spot[1] - spot[0] - 2 != word.size:
        return False
    return bool(np.all(text[spot[0] + 1 : spot[1] - 1] == word))


@compiled(BYTES, SPOT, types.int64, types.boolean)
def is_plain_name(text: Any, spot: Any, longest: int, needed: bool) -> bool:
    """Whether the text at `spot` is a name of at most so many bytes and, if it is needed, not blank."""
    length = spot[1] - spot[0] - 2
    if spot[1] == 0 or length <= 0:
        return not needed
    if length > longest:
        return False
    return not needed or not np.any(text[spot[0] + 1] == _MAY_BE_SPACE)


@compiled(BYTES, SPOT, HASHES)
def is_plain_id(text: Any, spot: Any, nobody: Any) -> bool:
    """Whether the text at `spot`, if there is one, is an id as it stands: no phone number, no `undefined`, ASCII.

    `nobody`: hashes of what programs send where they have no id, in small letters.
    """
    if spot[1] == 0:
        return True
    begin, end = spot[0] + 1, spot[1] - 1
    if end <= begin or end - begin > LONGEST_ID or text[begin] == ord(" "):
        return False
    if text[end - 1] == ord(" ") or text[begin] == ord("+"):
        return False
    digits = 0
    for at in range(begin, end):
        if text[at] > _ASCII:
            return False
        digits += ZERO <= text[at] <= NINE
    if text[begin] == ord("1") and digits == 11 and end - begin == 11:  # a Chinese mobile number?
        return False
    return not is_among(nobody, hash_of_small(text, begin, end))


@compiled(BYTES, types.int64, types.int64)
def _digits(text: Any, begin: int, end: int) -> int:
    """The number written there; negative where these are not all digits."""
    value = 0
    for at in range(begin, end):
        if not ZERO <= text[at] <= NINE:
            return -1_000_000
        value = value * 10 + text[at] - ZERO
    return value


@compiled(types.int64, types.int64, types.int64)
def _days(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a day of the Gregorian calendar (Hinnant, chrono-compatible date algorithms)."""
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


@compiled(BYTES, types.int64)
def _seconds(text: Any, begin: int) -> int:
    """Seconds from 1970 to the date and time written there (2026-11-27T08:30:00); -1 where it is none."""
    for place, mark in ((4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")):
        if text[begin + place] != ord(mark):
            return -1
    year, month = _digits(text, begin, begin + 4), _digits(text, begin + 5, begin + 7)
    day, hour = _digits(text, begin + 8, begin + 10), _digits(text, begin + 11, begin + 13)
    minute, second = _digits(text, begin + 14, begin + 16), _digits(text, begin + 17, begin + 19)
    if year < 1970 or not 1 <= month <= 12 or not 0 <= hour <= 23 or not 0 <= minute <= 59 or not 0 <= second <= 59:
        return -1
    is_leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= day <= _MONTH_DAYS[month - 1] + is_leap:
        return -1
    return _days(year, month, day) * _DAY + hour * _HOUR + minute * _MINUTE + second


@compiled(BYTES, types.int64, types.int64)
def _offset(text: Any, at: int, end: int) -> int:
    """Seconds that the zone written there (Z, +08:00) is ahead of UTC; a day where it is none."""
    if at == end - 1 and text[at] == ord("Z"):
        return 0
    if at != end - 6 or text[at + 3] != ord(":") or (text[at] != ord("+") and text[at] != ord("-")):
        return _DAY
    hours, minutes = _digits(text, at + 1, at + 3), _digits(text, at + 4, at + 6)
    if not 0 <= hours <= 23 or not 0 <= minutes <= 59:
        return _DAY
    seconds = hours * _HOUR + minutes * _MINUTE
    return seconds if text[at] == ord("+") else -seconds


@compiled(BYTES, types.int64, types.int64)
def as_instant(text: Any, begin: int, end: int) -> int:
    """Microseconds since 1970 of a usual time stamp (2026-11-27T08:30:00[.123456](Z|+08:00)); -1 of any other."""
    seconds = _seconds(text, begin) if end - begin >= 20 else -1
    at, micros, unit = begin + 19, 0, _MICROS // 10
    if seconds >= 0 and text[at] == ord("."):
        at += 1
        if not ZERO <= text[at] <= NINE:
            return -1
        while at < end and ZERO <= text[at] <= NINE:
            micros += (text[at] - ZERO) * unit
            unit //= 10
            at += 1
    offset = _offset(text, at, end)
    return (seconds - offset) * _MICROS + micros if seconds >= 0 and offset != _DAY else -1
