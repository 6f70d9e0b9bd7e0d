"""The appender: drains the intake into the log, some thousand events a transaction, and follows who is who.

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
from shared import contracts, log, metrics, telemetry
from shared.database import Transaction, transaction

ROWS_A_ROUND: Final = 10_000

_APPENDED: Final = metrics.counter("zhike_events_appended_total", "Entries that the event log got.")
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
        _APPENDED.inc(done.published)
        rows = min(ROWS_A_ROUND, rows * 2)


def append_round(rows: int = ROWS_A_ROUND) -> Round:
    """Append the oldest rows of the intake, at most `rows`, in one transaction."""
    with transaction() as tx:
        if not log.claim(tx, event_log.LOG):
            return Round(None)
        due = store.due(tx, rows)
        return Round(0) if due is None else _append(tx, due, datetime.now(UTC))


def _append(tx: Transaction, due: store.Due, now: datetime) -> Round:
    nameless = store.name_by_id(tx, due.last) if due.by_id else []
    rejected.set_aside(tx, nameless, "no_identity", "context.identityId is not an identity we know")
    staged = store.stage(tx, due.last, now)
    resolved = identities.resolve(tx, staged, now)
    touched = resolved.customers
    if staged.identifying:
        touched |= derive.learn_traits(tx)
    if staged.withdrawing:
        derive.withdraw_consents(tx, now)
    entries = staged.fresh + len(resolved.entries)
    # The head of the log is locked from here on.
    first = log.reserve(tx, event_log.LOG, entries) if entries else 0
    event_log.ensure_partitions(tx, first + entries)
    published = store.publish(tx, first)
    if published != staged.fresh:
        raise RuntimeError(f"{staged.fresh} events were due and {published} could be published")
    store.keep_seen(tx)
    if resolved.entries:
        event_log.add_changes(tx, first + staged.fresh, resolved.entries, now)
    if touched:
        derive.customers(tx, touched, now)
    if entries:
        tx.nudge(contracts.EVENTS_GREW)
    return Round(staged.taken + len(nameless), entries)


def _set_first_aside(error: Exception) -> None:
    """Move the oldest row of the intake to the rejected events."""
    with transaction() as tx:
        if not log.claim(tx, event_log.LOG):
            return
        rows = store.drop_first(tx)
        rejected.set_aside(tx, rows, "append_failed", f"the event could not be appended: {type(error).__name__}")
    _log.error("event_set_aside", error=type(error).__name__, messages=[row["message_id"] for row in rows])
