"""How many wrong passwords are too many, and how long a session lasts."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

WINDOW: Final = timedelta(minutes=15)
# A person mistypes a few times; an office behind one address has many persons.
MOST: Final[Mapping[str, int]] = {"user": 10, "address": 60}

SESSION_LIFE: Final = timedelta(days=7)
SESSION_IDLE: Final = timedelta(hours=12)
TOUCH_AFTER: Final = timedelta(minutes=1)  # not every click is worth a write


def too_many(failures: Mapping[str, int]) -> bool:
    """Whether the failures of the last WINDOW, by kind, close the door for now."""
    return any(failures.get(kind, 0) >= most for kind, most in MOST.items())


def wants_touch(seen_at: datetime, now: datetime) -> bool:
    """Whether a session's last use is long enough ago to be written down again."""
    return now - seen_at > TOUCH_AFTER
