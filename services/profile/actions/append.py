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
from services.profile.store.appending import Lane
from services.profile.store.failures import is_fault_of_the_data
from shared import contracts, log, metrics, telemetry
from shared.database import Transaction, transaction

ROWS_A_ROUND: Final = 10_000

_APPENDED: Final = metrics.counter("zhike_events_appended_total", "Entries that the event log got.")
_log = telemetry.get_logger(__name__)


@dataclass(frozen=True)
class Round:
    """What one transaction did. `taken` 0: the lane was empty; None: another appender is at work."""

    taken: int | None
    published: int = 0


class _Drain:
    """Appends one lane of the intake, round after round."""

    def __init__(self, lane: Lane) -> None:
        self._lane, self._rows = lane, ROWS_A_ROUND

    def round(self, most: int) -> Round:
        """Append the oldest rows of the lane, at most `most`."""
        while True:
            rows = min(self._rows, most)
            try:
                done = append_round(rows, self._lane)
            except Exception as error:
                if not is_fault_of_the_data(error):
                    raise
                if rows == 1:
                    _set_first_aside(self._lane, error)
                # Somewhere among these rows is one that cannot be appended: close in on it.
                self._rows = max(1, rows // 4)
                continue
            self._rows = min(ROWS_A_ROUND, rows * 2)
            _APPENDED.inc(done.published)
            return done


def drain() -> int:
    """Append until the intake is empty; returns how many entries the log got.

    Live events and imports take turns. So a live event waits for one round of an import at most, and an import goes
    on, with a quarter of a round, while more live events come than one round takes.
    """
    live, imported = _Drain(store.LIVE), _Drain(store.IMPORTED)
    published = 0
    while True:
        now = live.round(ROWS_A_ROUND)
        then = imported.round(ROWS_A_ROUND if (now.taken or 0) < ROWS_A_ROUND else ROWS_A_ROUND // 4)
        if not now.taken and not then.taken:
            return published
        published += now.published + then.published


def append_round(rows: int = ROWS_A_ROUND, lane: Lane = store.LIVE) -> Round:
    """Append the oldest rows of a lane of the intake, at most `rows`, in one transaction."""
    with transaction() as tx:
        if not log.claim(tx, event_log.LOG):
            return Round(None)
        store.begin(tx)
        due = store.due(tx, lane, rows)
        return Round(0) if due is None else _append(tx, due, datetime.now(UTC))


def _append(tx: Transaction, due: store.Due, now: datetime) -> Round:
    nameless = store.name_by_id(tx, due.part) if due.by_id else []
    rejected.set_aside(tx, nameless, "no_identity", "context.identityId is not an identity we know")
    staged = store.stage(tx, due.part, now)
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


def _set_first_aside(lane: Lane, error: Exception) -> None:
    """Move the oldest row of a lane to the rejected events."""
    with transaction() as tx:
        if not log.claim(tx, event_log.LOG):
            return
        rows = store.drop_first(tx, lane)
        rejected.set_aside(tx, rows, "append_failed", f"the event could not be appended: {type(error).__name__}")
    _log.error("event_set_aside", error=type(error).__name__, messages=[row["message_id"] for row in rows])
