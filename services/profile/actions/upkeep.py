"""Room ahead in the log, and letting go of what is only kept for a while; how the log stands."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from services.profile.store import appending, intake, log, rejected
from shared import audit
from shared.database import transaction
from shared.shop import read_shop
from shared.telemetry import get_logger

REPEATS_KNOWN_FOR: Final = timedelta(days=90)
REJECTED_KEPT_FOR: Final = timedelta(days=90)
CHUNK: Final = 20_000
MOST_CHUNKS: Final = 50  # a run ends in time for the next

_log = get_logger(__name__)


def run(now: datetime | None = None) -> None:
    """Make the next partition of the log ahead of need; forget old messages in small transactions."""
    now = now or datetime.now(UTC)
    with transaction() as tx:
        log.ensure_partitions(tx, log.head(tx)["position"] + log.PARTITION)
    for forget, kept_for in ((appending.forget_seen, REPEATS_KNOWN_FOR), (rejected.forget, REJECTED_KEPT_FOR)):
        for _ in range(MOST_CHUNKS):
            with transaction() as tx:
                if forget(tx, now - kept_for, CHUNK) < CHUNK:
                    break
    audit.prune(now)
    while let_go(now):
        pass


def let_go(now: datetime) -> bool:
    """Drop the oldest partition of the log, if the shop does not keep its events and every reader has passed it."""
    with transaction() as tx:
        days = read_shop(tx).events_kept_days
        if days is None:
            return False
        dropped = log.let_go(tx, now - timedelta(days=days), log.read_to(tx))
    if dropped is not None:
        _log.info("events_let_go", partition=dropped, below=(dropped + 1) * log.PARTITION)
    return dropped is not None


def status() -> dict[str, Any]:
    """How far the log has come and what waits before it."""
    now = datetime.now(UTC)
    with transaction(read_only=True) as tx:
        waiting = intake.backlog(tx)
        head = log.head(tx)
        refused = rejected.count_waiting(tx)
    oldest = waiting["oldest"]
    return {
        "position": head["position"],
        "room_until": head["room_until"],
        "intake_rows": waiting["rows"],
        "oldest_received_at": oldest,
        "oldest_age_seconds": max(0.0, (now - oldest).total_seconds()) if oldest else 0.0,
        "rejected_events": refused,
    }
