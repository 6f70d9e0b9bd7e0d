"""Outcomes into profile's log: an outbox. Told at least once, taking effect once by messageId."""

import time
from typing import Final

from services.campaign.domain.outcomes import events_of
from services.campaign.store import outcomes as store
from shared.client import sibling
from shared.database import Row, transaction
from shared.problems import Problem
from shared.telemetry import get_logger

BATCH: Final = 500

log = get_logger(__name__)


def publish(seconds: float = 10.0) -> int:
    """Tell profile what came of messages, for about so long. Returns how many outcomes it has taken.

    What is left is announced again, so that a slow profile never keeps the readers of the log from their worker.
    """
    ends = time.monotonic() + seconds
    told = 0
    while rows := _claim():
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
        late = time.monotonic() > ends
        with transaction() as tx:
            store.mark_published(tx, ids)
            if late:
                tx.nudge("campaign.publish_outcomes")
        told += len(ids)
        if late:
            break
    return told


def _claim() -> list[Row]:
    with transaction() as tx:
        return store.claim_unpublished(tx, BATCH)
