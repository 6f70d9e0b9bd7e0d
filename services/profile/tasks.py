"""Work of profile that nobody waits for."""

from services.profile.actions import append
from shared import queue


@queue.task("profile.append_intake")
def append_intake() -> None:
    """Put what the collector accepted into the log."""
    append.drain()


SCHEDULE = {"profile.append_intake": 2}
