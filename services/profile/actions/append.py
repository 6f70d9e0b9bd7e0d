"""The appender: drains the intake into the log, a few thousand events a transaction, and follows who is who.

One at a time (shared.log.claim). Whatever it has not committed is still in the intake, so a crash loses nothing and
doubles nothing.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from services.profile.actions import derive, identities, rejected
from services.profile.store import appending as store
from services.profile.store import log as event_log
from services.profile.store.failures import is_fault_of_the_data
from shared import contracts, log, telemetry
from shared.database import Transaction, transaction

ROWS_A_ROUND: Final = 4000

_log = telemetry.get_logger(__name__)


@dataclass(frozen=True)
class Round:
    """What one transaction did. `taken` 0: the intake was empty; None: another appender is at work."""

    taken: int | None
    published: int = 0


def drain() -> int:
    """Append until the intake is empty; returns how many entries the log got."""
    published, rows = 0, ROWS_A_ROUND
    while True:
        try:
            done = append_round(rows)
        except Exception as error:
            if not is_fault_of_the_data(error):
                raise
            if rows == 1:
                _set_first_aside(error)
            # Somewhere among these rows is one that cannot be appended: close in on it.
            rows = max(1, rows // 4)
            continue
        if not done.taken:
            return published
        published += done.published
        rows = min(ROWS_A_ROUND, rows * 2)


def append_round(rows: int = ROWS_A_ROUND) -> Round:
    """Append the oldest rows of the intake, at most `rows`, in one transaction."""
    with transaction() as tx:
        if not log.claim(tx, event_log.LOG):
            return Round(None)
        taken = store.take(tx, rows)
        if taken:
            published = _append(tx, datetime.now(UTC))
            return Round(taken, published)
        return Round(0)


def _append(tx: Transaction, now: datetime) -> int:
    store.name_identities_by_id(tx)
    # Before their messages count as seen: they may be replayed.
    rejected.set_aside(tx, store.drop_nameless(tx), "no_identity", "context.identityId is not an identity we know")
    store.drop_repeats(tx, now)
    count = store.waiting(tx)
    if count == 0:
        return 0
    resolved = identities.resolve(tx, now)
    touched = derive.learn_traits(tx) | resolved.customers
    changes = resolved.entries
    # The head of the log is locked from here on.
    first = log.reserve(tx, event_log.LOG, count + len(changes))
    event_log.ensure_partitions(tx, first + count + len(changes))
    published = store.publish(tx, first)
    if published != count:
        raise RuntimeError(f"{count} events were due and {published} found their identity")
    if changes:
        event_log.add_changes(tx, first + count, changes, now)
    derive.withdraw_consents(tx, now)
    derive.customers(tx, touched, now)
    tx.nudge(contracts.EVENTS_GREW)
    return count + len(changes)


def _set_first_aside(error: Exception) -> None:
    """Move the oldest row of the intake to the rejected events."""
    with transaction() as tx:
        if not log.claim(tx, event_log.LOG) or not store.take(tx, 1):
            return
        rows = store.drop_all(tx)
        rejected.set_aside(tx, rows, "append_failed", f"the event could not be appended: {type(error).__name__}")
    _log.error("event_set_aside", error=type(error).__name__, messages=[row["message_id"] for row in rows])
