"""Who was merged with whom, on what evidence; and taking it apart."""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from services.profile.actions import customers, derive, identities
from services.profile.store import links as store
from services.profile.store import log as event_log
from shared import audit, contracts, log
from shared.database import Row, Transaction, transaction
from shared.problems import Conflict, NotFound, Unavailable

PATIENCE_S: Final = 5.0


def history(customer_id: UUID | None, before: UUID | None, limit: int) -> list[Row]:
    """Links between identities, newest first, refused and undone ones too; of one customer where one is named."""
    with transaction(read_only=True) as tx:
        current = customers.resolve(tx, customer_id) if customer_id else None
        return store.history(tx, current, before, limit)


def undo(link_id: UUID, by: str) -> dict[str, Any]:
    """Take one link apart. The customers become what they were without it; readers of the log are told.

    The pair is not joined again but by an explicit alias. Where other links still hold the two together they stay
    one customer. Raises NotFound, Conflict (it joins nobody), Unavailable (the appender is busy for too long).
    """
    with transaction() as tx:
        # Only one may change who is who at a time: the appender, or us.
        if not log.claim(tx, event_log.LOG, PATIENCE_S):
            raise Unavailable("events are being appended; try again in a moment", retry_after=2)
        return _undo(tx, link_id, by)


def _undo(tx: Transaction, link_id: UUID, by: str) -> dict[str, Any]:
    link = store.get(tx, link_id)
    if link is None:
        raise NotFound("there is no such merge")
    if not link["live"]:
        raise Conflict("this merge joins nobody: it was refused or has been undone", code="not_live")
    now = datetime.now(UTC)
    together = customers.resolve(tx, link["a"])
    store.undo(tx, link_id, now, by)
    change = identities.remap(tx, [link["a"], link["b"]])
    entries = identities.entries(change)
    if entries:
        first = log.reserve(tx, event_log.LOG, len(entries))
        event_log.ensure_partitions(tx, first + len(entries))
        event_log.add_changes(tx, first, entries, now)
        derive.customers(tx, {*change.moved.values(), *change.parted, link["a"], link["b"]}, now)
        tx.nudge(contracts.EVENTS_GREW)
    parted = {customers.resolve(tx, link["a"]), customers.resolve(tx, link["b"])}
    before, after = {"customers": [together]}, {"customers": sorted(parted)}
    audit.record(tx, "merge.undo", ("merge", link_id), before, after)
    return {"merge_id": link_id, "undone_at": now, "customers": sorted(parted), "split": len(parted) > 1}
