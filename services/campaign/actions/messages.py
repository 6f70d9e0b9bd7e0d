"""A customer's messages."""

from typing import Any
from uuid import UUID

from services.campaign.actions.paging import after_id, page
from services.campaign.store import ledger
from services.campaign.store import people as customers
from shared.database import transaction


def messages_of(customer_id: UUID, cursor: str | None, limit: int) -> dict[str, Any]:
    """A page of a customer's messages, newest first, by any id the customer ever had."""
    after = after_id(cursor)
    with transaction(read_only=True) as tx:
        row = customers.find_customer(tx, customer_id)
        present = row["customer_id"] if row else customer_id
        rows = ledger.messages_of(tx, present, after, limit + 1)
    return page(rows, limit, "send_id")
