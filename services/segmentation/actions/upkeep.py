"""Keeping tables bounded: in small transactions, as many as end in time for the next run."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from services.segmentation.store import retention
from shared import audit
from shared.database import Transaction, transaction
from shared.shop import read_shop

CHANGES_KEPT_FOR: Final = timedelta(days=400)
JOBS_KEPT_FOR: Final = timedelta(days=400)
CHUNK: Final = 20_000
MOST_CHUNKS: Final = 50


def run(now: datetime | None = None) -> None:
    """Forget events older than the shop keeps them, old changes of memberships, old computations."""
    now = now or datetime.now(UTC)
    with transaction(read_only=True) as tx:
        days = read_shop(tx).events_kept_days
    if days is not None:
        _forget(retention.forget_events, now - timedelta(days=days))
    _forget(retention.forget_changes, now - CHANGES_KEPT_FOR)
    _forget(retention.forget_jobs, now - JOBS_KEPT_FOR)
    _forget(retention.forget_bases, now - JOBS_KEPT_FOR)
    audit.prune(now)


def _forget(some: Callable[[Transaction, datetime, int], int], before: datetime) -> None:
    for _ in range(MOST_CHUNKS):
        with transaction() as tx:
            if some(tx, before, CHUNK) < CHUNK:
                break
