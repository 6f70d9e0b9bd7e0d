"""Outcomes into profile's log: an outbox. Told at least once, taking effect once by messageId."""

from typing import Final

from services.campaign.domain.outcomes import events_of
from services.campaign.store import outcomes as store
from shared.client import sibling
from shared.database import transaction
from shared.problems import Problem
from shared.telemetry import get_logger

BATCH: Final = 500

log = get_logger(__name__)


def publish(most: int = 40) -> int:
    """Tell profile what came of messages, at most `most` batches. Returns how many outcomes it has taken."""
    told = 0
    for _ in range(most):
        with transaction() as tx:
            rows = store.claim_unpublished(tx, BATCH)
        if not rows:
            break
        ids = [row["outcome_id"] for row in rows]
        try:
            sibling("profile").post(
                "/v1/batch",
                json={"batch": [event for row in rows for event in events_of(row)]},
                timeout=20.0,
                idempotent=True,
            )
        except Problem as error:
            log.warning("outcomes_not_published", outcomes=len(ids), error=str(error))
            with transaction() as tx:
                store.release(tx, ids)
            break
        with transaction() as tx:
            store.mark_published(tx, ids)
        told += len(ids)
    return told
