"""After a backup was restored: nobody knows what was sent since it was made."""

from typing import Final

from services.campaign.store import campaigns as store
from shared.database import transaction

PROBLEM: Final = (
    "restored from a backup: what was sent after the backup was made is not known here; compare with the mail "
    "server's log, then resume or cancel"
)


def pause_all() -> list[str]:
    """Hold every campaign that was sending, preparing or due by now, until a person resumes it; returns their names."""
    with transaction() as tx:
        store.drop_preparing_runs(tx)
        store.pause_sending_runs(tx)
        return store.pause_begun(tx, PROBLEM)
