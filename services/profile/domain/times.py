"""When an event happened, told from what its sender's clock said. Instants are microseconds since 1970, UTC."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

SECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND
# A sender's clock within this of ours counts as right: it is about what a request takes on a bad line.
TOLERANCE: Final = 60 * SECOND

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
EARLIEST: Final = (datetime(1990, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
# ISO 8601 with missing leading zeros, as in an example of Segment's own documentation.
_SLOPPY: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})[T ](\d{1,2}):(\d{1,2})(.*)", re.DOTALL)


class TimeError(ValueError):
    """A time stamp that says nothing usable; the message says why."""


def micros(instant: datetime) -> int:
    """Microseconds since 1970 of an aware datetime; a naive one is taken as UTC."""
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    since = instant - _EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def instant(microseconds: int) -> datetime:
    """The aware datetime (UTC) of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


def parse(text: str) -> int:
    """ISO 8601 text as microseconds since 1970; without a zone it is UTC. Raises TimeError."""
    try:
        since = datetime.fromisoformat(text) - _EPOCH
        return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds
    except TypeError:  # without a zone
        return micros(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        pass
    sloppy = _SLOPPY.fullmatch(text.strip())
    if sloppy:
        year, *parts, rest = sloppy.groups()
        month, day, hour, minute = (part.zfill(2) for part in parts)
        try:
            return micros(datetime.fromisoformat(f"{year}-{month}-{day}T{hour}:{minute}{rest}"))
        except (ValueError, OverflowError):
            pass
    raise TimeError(f"{text[:40]!r} is not an ISO 8601 time")


def clock_offset(sent: int | None, received: int) -> int:
    """What to add to times of a sender who said at `received` (our clock) that it was `sent` (theirs).

    0 where its clock is right within a minute, or unknown.
    """
    if sent is None or abs(received - sent) <= TOLERANCE:
        return 0
    return received - sent


def occurred(original: int | None, timestamp: int | None, offset: int, received: int) -> int:
    """When the event happened.

    With a wrong clock (`offset` not 0) `receivedAt - (sentAt - originalTimestamp)`, as Segment computes it; with a
    right one `timestamp`; `received` where the sender named no time. Nothing happens after it was received, so a
    time up to a day ahead is taken as `received`. Raises TimeError for a time beyond that, or before 1990.
    """
    if offset:
        told = original if original is not None else timestamp
    else:
        told = timestamp if timestamp is not None else original
    if told is None:
        return received
    happened = told + offset
    if happened > received:
        if happened > received + DAY:
            raise TimeError("it lies more than a day in the future")
        return received
    if happened < EARLIEST:
        raise TimeError("it lies before 1990")
    return happened
