"""Business days: the shop's calendar days, which are not UTC's and not always of 24 hours."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def zone_of(name: str) -> ZoneInfo:
    """The time zone of this name; UTC for a name nobody knows (the console refuses such a setting)."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def business_day(instant: datetime, zone: ZoneInfo) -> date:
    """The shop's day at an instant."""
    return instant.astimezone(zone).date()


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The instant a day of the shop begins, in UTC."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def days_before(instant: datetime, days: int, zone: ZoneInfo) -> datetime:
    """When the day began that lies `days` days before the day of `instant` (0: that day itself)."""
    return day_start(business_day(instant, zone) - timedelta(days=days), zone)


def first_instant(moment: str, zone: ZoneInfo) -> datetime:
    """An ISO date as the beginning of that day, an ISO time as it is."""
    if len(moment) == 10:
        return day_start(date.fromisoformat(moment), zone)
    return datetime.fromisoformat(moment).astimezone(UTC)


def first_instant_after(moment: str, zone: ZoneInfo) -> datetime:
    """An ISO date as the end of that day, an ISO time as the instant just after it (microseconds)."""
    if len(moment) == 10:
        return day_start(date.fromisoformat(moment) + timedelta(days=1), zone)
    return datetime.fromisoformat(moment).astimezone(UTC) + timedelta(microseconds=1)
