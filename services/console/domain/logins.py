"""How many wrong passwords are too many, and how long a session and what leads to one last."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

WINDOW: Final = timedelta(minutes=15)
# A person mistypes a few times; an office behind one address has many persons. A code of the second step is an
# attempt like a password. The last two: links to reset a password that were asked for.
MOST: Final[Mapping[str, int]] = {"user": 10, "address": 60, "reset_user": 3, "reset_address": 20}

SESSION_LIFE: Final = timedelta(days=7)
SESSION_IDLE: Final = timedelta(hours=12)
TOUCH_AFTER: Final = timedelta(minutes=1)  # not every click is worth a write
SECOND_STEP_LIFE: Final = timedelta(minutes=5)  # between the password and the code


def too_many(failures: Mapping[str, int]) -> frozenset[str]:
    """The kinds of which the failures of the last WINDOW close the door for now."""
    return frozenset(kind for kind, most in MOST.items() if failures.get(kind, 0) >= most)


def wants_touch(seen_at: datetime, now: datetime) -> bool:
    """Whether a session's last use is long enough ago to be written down again."""
    return now - seen_at > TOUCH_AFTER
