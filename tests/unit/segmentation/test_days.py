"""Business days."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.segmentation.domain.days import business_day, day_start, days_before, first_instant_after, zone_of

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")


def test_an_order_of_the_evening_in_utc_is_the_next_day_in_shanghai() -> None:
    assert business_day(datetime(2025, 6, 30, 17, tzinfo=UTC), SHANGHAI) == date(2025, 7, 1)


@pytest.mark.parametrize(("day", "hours"), [(date(2025, 3, 9), 23), (date(2025, 11, 2), 25), (date(2025, 6, 1), 24)])
def test_a_day_has_as_many_hours_as_the_clocks_say(day: date, hours: int) -> None:
    start, end = day_start(day, NEW_YORK), first_instant_after(day.isoformat(), NEW_YORK)
    assert end - start == timedelta(hours=hours)


def test_zero_days_before_is_the_beginning_of_today() -> None:
    now = datetime(2025, 6, 30, 4, tzinfo=UTC)
    assert days_before(now, 0, SHANGHAI) == datetime(2025, 6, 29, 16, tzinfo=UTC)
    assert days_before(now, 30, SHANGHAI) == datetime(2025, 5, 30, 16, tzinfo=UTC)


@pytest.mark.parametrize("name", ["", "Nowhere/Nothing", "../etc/passwd"])
def test_a_zone_nobody_knows_is_utc(name: str) -> None:
    assert zone_of(name) == ZoneInfo("UTC")
