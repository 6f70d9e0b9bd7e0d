"""When an event happened, whatever its sender's clock says."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.profile.domain import times
from services.profile.domain.times import SECOND, TimeError

NOW = times.micros(datetime(2026, 5, 20, 8, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    "text",
    [
        "2012-12-02T00:30:08.276Z",
        "2012-12-02T00:30:08.276+00:00",
        "2012-12-02T08:30:08.276+08:00",
        "2012-12-02 00:30:08.276",
        "2012-12-2T0:30:08.276Z",
        "20121202T003008.276Z",
    ],
)
def test_the_usual_spellings_of_an_instant_are_read(text):
    assert times.instant(times.parse(text)) == datetime(2012, 12, 2, 0, 30, 8, 276000, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "1700000000000", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z"])
def test_what_is_no_instant_is_refused(text):
    with pytest.raises(TimeError):
        times.parse(text)


@given(st.integers(-400, 400), st.integers(0, 7 * 86_400))
def test_a_wrong_clock_is_corrected_by_what_it_said_when_it_sent(clock_off_hours, seconds_ago):
    off = clock_off_hours * 3600 * SECOND
    happened = NOW - seconds_ago * SECOND
    offset = times.clock_offset(NOW + off, NOW)
    assert times.occurred(happened + off, None, offset, NOW) == happened


@given(st.integers(-59, 59), st.integers(100, 10**8))
def test_a_clock_right_within_a_minute_is_believed(seconds_off, seconds_ago):
    offset = times.clock_offset(NOW + seconds_off * SECOND, NOW)
    told = NOW - seconds_ago * SECOND
    assert times.occurred(None, told, offset, NOW) == told


def test_segments_formula_uses_the_original_time_stamp():
    original, sent = NOW - 7200 * SECOND, NOW - 3600 * SECOND
    offset = times.clock_offset(sent, NOW)
    assert times.occurred(original, NOW, offset, NOW) == NOW - (sent - original)


def test_without_a_time_it_happened_when_it_was_received():
    assert times.occurred(None, None, 0, NOW) == NOW


def test_nothing_happens_after_it_was_received():
    assert times.occurred(None, NOW + 3600 * SECOND, 0, NOW) == NOW


@pytest.mark.parametrize("days", [2, 365 * 5000, -365 * 40])
def test_an_absurd_time_is_refused(days):
    with pytest.raises(TimeError):
        times.occurred(None, NOW + days * times.DAY, 0, NOW)


@given(st.integers(times.EARLIEST, NOW))
def test_microseconds_and_instants_are_the_same_thing(microseconds):
    moment = times.instant(microseconds)
    assert times.micros(moment) == microseconds
    assert times.micros(moment.replace(tzinfo=None)) == microseconds
    assert times.micros(moment + timedelta(hours=8)) - times.micros(moment) == 8 * 3600 * SECOND
