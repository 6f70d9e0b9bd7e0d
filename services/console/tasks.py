"""Work of the console that nobody waits for."""

from datetime import UTC, datetime

from services.console.actions import resets, sessions
from shared import audit, queue


@queue.task("console.upkeep")
def upkeep() -> None:
    """Remove ended sessions and links, old log-in attempts and old entries of the audit log."""
    sessions.prune()
    audit.prune(datetime.now(UTC))


@queue.task("console.send_resets")
def send_resets() -> None:
    """Mail the links that people who forgot their password asked for."""
    resets.send_due()


SCHEDULE = {"console.upkeep": 300, "console.send_resets": 30}
