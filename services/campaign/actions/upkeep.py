"""Keeping tables bounded."""

from datetime import UTC, datetime, timedelta

from services.campaign.store import caps
from shared.database import transaction

# Longer than any cap looks back.
_SLOTS_KEPT = timedelta(days=400)


def tidy() -> None:
    """Drop slots that no cap looks at any more."""
    with transaction() as tx:
        caps.forget_old(tx, datetime.now(UTC) - _SLOTS_KEPT)
