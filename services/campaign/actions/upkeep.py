"""Keeping tables bounded."""

from datetime import UTC, datetime, timedelta
from typing import Final

from services.campaign.store import caps
from shared import audit
from shared.database import transaction

# Longer than any cap looks back.
_SLOTS_KEPT = timedelta(days=400)
CHUNK: Final = 20_000
MOST_CHUNKS: Final = 50  # a run ends in time for the next


def tidy() -> None:
    """Drop old entries of the audit log, and slots that no cap looks at any more, in small transactions."""
    audit.prune(datetime.now(UTC))
    for _ in range(MOST_CHUNKS):
        with transaction() as tx:
            if caps.forget_old(tx, datetime.now(UTC) - _SLOTS_KEPT, CHUNK) < CHUNK:
                break
