"""Keeping tables bounded: in small transactions, as many as end in time for the next run."""

from datetime import UTC, datetime, timedelta
from typing import Final

from services.recommend.domain.interactions import Kind
from services.recommend.store import impressions, retention
from shared import audit
from shared.database import transaction
from shared.shop import read_shop

MODELS_KEPT_FOR: Final = timedelta(days=400)
IMPRESSIONS_KEPT_DAYS: Final = 180
CHUNK: Final = 20_000
MOST_CHUNKS: Final = 50
# What somebody bought and sent back is no passing interest.
KEPT: Final = frozenset({Kind.BOUGHT, Kind.RETURNED})


def run(now: datetime | None = None) -> None:
    """Forget interactions older than the shop keeps events (orders stay), impressions, old entries of the registry."""
    now = now or datetime.now(UTC)
    with transaction(read_only=True) as tx:
        days = read_shop(tx).events_kept_days
    for _ in range(MOST_CHUNKS if days is not None else 0):
        with transaction() as tx:
            if retention.forget_interactions(tx, now - timedelta(days=days or 0), KEPT, CHUNK) < CHUNK:
                break
    seen_until = now - timedelta(days=min(days or IMPRESSIONS_KEPT_DAYS, IMPRESSIONS_KEPT_DAYS))
    for _ in range(MOST_CHUNKS):
        with transaction() as tx:
            if impressions.forget(tx, seen_until, CHUNK) < CHUNK:
                break
    audit.prune(now)
    with transaction() as tx:
        retention.forget_models(tx, now - MODELS_KEPT_FOR, CHUNK)
