"""Instants that can be reckoned with."""

from datetime import UTC, datetime

import pytest
from marshmallow import ValidationError

from shared.instants import within_reach, within_reach_locally


@pytest.mark.parametrize("year", [1990, 2026, 2189])
def test_an_instant_of_our_times_is_taken(year):
    assert within_reach(datetime(year, 6, 1, tzinfo=UTC))
    assert within_reach_locally(datetime(year, 6, 1, tzinfo=UTC).replace(tzinfo=None))


@pytest.mark.parametrize("year", [1, 1989, 2191, 9999])
def test_an_instant_at_the_ends_of_the_calendar_is_refused(year):
    with pytest.raises(ValidationError):
        within_reach(datetime(year, 6, 1, tzinfo=UTC))
    with pytest.raises(ValidationError):
        within_reach_locally(datetime(year, 6, 1, tzinfo=UTC).replace(tzinfo=None))
