"""Instants that people and programs may name: those that can be reckoned with."""

from datetime import UTC, datetime
from typing import Final

from marshmallow import validate

EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2190, 1, 1, tzinfo=UTC)

# Scores look years back and campaigns days ahead, in any time zone; at the ends of the calendar there is no such day,
# and Postgres knows years that Python does not.
within_reach: Final = validate.Range(EARLIEST, LATEST, error="must lie between 1990 and 2190")
within_reach_locally: Final = validate.Range(
    EARLIEST.replace(tzinfo=None), LATEST.replace(tzinfo=None), error="must lie between 1990 and 2190"
)
