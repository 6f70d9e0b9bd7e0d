"""A customer's messages."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from services.campaign.actions.paging import after_id, instant, page
from services.campaign.store import ledger
from services.campaign.store import people as customers
from services.campaign.store import standing as failures
from shared import audit
from shared.database import transaction
from shared.web import encode_cursor

MOST_AT_ONCE: Final = 1000
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


def retry(send_ids: Sequence[UUID] | None, cursor: str | None) -> dict[str, Any]:
    """Make failed messages (None: all) due again, MOST_AT_ONCE of them at most; the rest is decided anew by sending.

    Says how many, how many were not reached, and the cursor that goes on with those. All are those that had failed when
    the first of such requests came, so that what fails again does not go round for ever.
    """
    until = instant(cursor) or datetime.now(UTC)
    with transaction() as tx:
        again = failures.send_again(tx, send_ids, until, MOST_AT_ONCE, MORE_TIME_H)
        if again:
            about = ("message", again[0]["send_id"] if len(again) == 1 else "many")
            audit.record(tx, "message.retry", about, None, {"messages": len(again)})
            tx.nudge("campaign.send")
        remaining = failures.failed(tx, until)[0] if send_ids is None and len(again) == MOST_AT_ONCE else 0
    return {
        "retried": len(again),
        "remaining": remaining,
        "next_cursor": encode_cursor(until.isoformat()) if remaining else None,
    }
