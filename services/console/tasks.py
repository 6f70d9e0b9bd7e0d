"""Work of the console that nobody waits for."""

from services.console.actions import sessions
from shared import queue


@queue.task("console.upkeep")
def upkeep() -> None:
    """Remove ended sessions and old log-in attempts."""
    sessions.prune()


SCHEDULE = {"console.upkeep": 300}
