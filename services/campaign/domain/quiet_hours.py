"""When a promotional message may reach a person: not in the quiet hours of the place where they live."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class QuietHours:
    """From `start` until `end` on the local clock; `start` after `end` spans midnight; equal: none."""

    start: time
    end: time

    def contain(self, local: time) -> bool:
        """Whether a local time of day is quiet."""
        if self.start <= self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end


@lru_cache(maxsize=1024)
def zone(name: str | None, fallback: str) -> ZoneInfo:
    """The customer's time zone, the shop's where it is missing or unknown."""
    for candidate in (name, fallback):
        try:
            if candidate:
                return ZoneInfo(candidate)
        except (KeyError, ValueError, OSError):  # unknown, malformed, or the name of a folder
            continue
    return ZoneInfo("UTC")


def next_allowed(now: datetime, local_zone: ZoneInfo, quiet: QuietHours | None) -> datetime:
    """`now` where it is not quiet there, else the instant the quiet hours end (UTC)."""
    if quiet is None or quiet.start == quiet.end:
        return now
    local = now.astimezone(local_zone)
    if not quiet.contain(local.time()):
        return now
    day = local.date() if local.time() < quiet.end else local.date() + timedelta(days=1)
    ends = datetime.combine(day, quiet.end, tzinfo=local_zone).astimezone(UTC)
    # A clock put forward can swallow the end of the quiet hours; never return the past.
    return max(ends, now + timedelta(minutes=1))
