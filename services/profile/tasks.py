"""Work of profile that nobody waits for."""

from services.profile.actions import append, upkeep
from shared import queue


@queue.task("profile.append_intake")
def append_intake() -> None:
    """Put what the collector accepted into the log."""
    append.drain()


@queue.task("profile.upkeep")
def keep_up() -> None:
    """Make room in the log ahead of need, forget what is only kept for a while."""
    upkeep.run()


SCHEDULE = {"profile.append_intake": 2, "profile.upkeep": 600}
