"""A customer's messages."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from services.campaign.actions.paging import after_id, page
from services.campaign.store import ledger
from services.campaign.store import people as customers
from services.campaign.store import standing as failures
from shared import audit
from shared.database import transaction

MORE_TIME_H: Final = 24  # what is tried again gets at least so long


def messages_of(customer_id: UUID, cursor: str | None, limit: int) -> dict[str, Any]:
    """A page of a customer's messages, newest first, by any id the customer ever had."""
    after = after_id(cursor)
    with transaction(read_only=True) as tx:
        row = customers.find_customer(tx, customer_id)
        present = row["customer_id"] if row else customer_id
        rows = ledger.messages_of(tx, present, after, limit + 1)
    return page(rows, limit, "send_id")


def failed(limit: int) -> dict[str, Any]:
    """The messages of the last 30 days that failed and could go again, newest first, and how many there are."""
    with transaction(read_only=True) as tx:
        count, _ = failures.failed(tx)
        return {"items": failures.failed_sends(tx, limit), "waiting": count}


def retry(send_ids: Sequence[UUID] | None) -> dict[str, int]:
    """Make failed messages (None: all) due again; consent, suppression and caps are decided anew. Says how many."""
    with transaction() as tx:
        again = failures.send_again(tx, send_ids, MORE_TIME_H)
        if again:
            about = ("message", again[0]["send_id"] if len(again) == 1 else "many")
            audit.record(tx, "message.retry", about, None, {"messages": len(again)})
            tx.nudge("campaign.send")
        return {"retried": len(again)}
