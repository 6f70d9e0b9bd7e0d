"""A published log: entries at positions 1, 2, 3 … without gaps, read from a cursor, each exactly once.

Appending: positions come from the log's head row, which stays locked until the appender commits. So a position
becomes visible only after all smaller ones have, and a rolled-back append leaves no hole. A reader's cursor lives
in the reader's own schema and moves in the same transaction as what the reader writes.
(Sequences and pg_snapshot_xmin were tried and skip entries or stall everybody: see docs/decisions/.)
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, LiteralString, TypeVar, overload

from shared.database import LOCK_TIMEOUT_MS, SQL, Identifier, Literal, LockNotAvailable, Row, Transaction

T = TypeVar("T")

# For the first migration of a service that publishes (HEAD_DDL) or reads (CURSOR_DDL) a log.
HEAD_DDL: Final[LiteralString] = "CREATE TABLE log_head (log text PRIMARY KEY, position bigint NOT NULL)"
CURSOR_DDL: Final[LiteralString] = "CREATE TABLE log_cursor (reader text PRIMARY KEY, position bigint NOT NULL)"


def claim(tx: Transaction, log: str, patience_s: float = 0.0) -> bool:
    """Try to be the one appender of `log` until this transaction ends. False: another is at work, leave it to it.

    With patience (shorter than the statement time-out) wait so long for one's turn. Who waits comes before whoever asks
    later, also before those who only try: somebody who takes the claim again and again shuts nobody out.
    """
    if patience_s <= 0:
        key = "SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || '/' || %(log)s, 0))"
        return bool(tx.value(key, {"log": log}))
    try:
        with _waiting(tx, patience_s):
            tx.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '/' || %(log)s, 0))", {"log": log}
            )
    except LockNotAvailable:
        return False
    return True


def reserve(tx: Transaction, log: str, count: int) -> int:
    """The first of `count` new positions of `log`. Locks the head until the end of the transaction.

    Reserve as late as possible: whoever appends next waits for this commit.
    """
    if count < 1:
        raise ValueError("reserve at least one position")
    head: int = tx.value(
        """
        INSERT INTO log_head (log, position) VALUES (%(log)s, %(count)s)
        ON CONFLICT (log) DO UPDATE SET position = log_head.position + excluded.position
        RETURNING position
        """,
        {"log": log, "count": count},
    )
    return head - count + 1


def head(tx: Transaction, log: str) -> int:
    """The last position of `log` (0: empty), in the owner's schema."""
    return tx.value("SELECT position FROM log_head WHERE log = %(log)s", {"log": log}) or 0


@overload
def read(
    tx: Transaction, reader: str, view: LiteralString, columns: Sequence[str], *, limit: int = ...
) -> list[Row]: ...
@overload
def read(
    tx: Transaction, reader: str, view: LiteralString, columns: Sequence[str], *, limit: int = ..., into: type[T]
) -> list[T]: ...
def read(
    tx: Transaction,
    reader: str,
    view: LiteralString,
    columns: Sequence[str],
    *,
    limit: int = 5000,
    into: type[Any] = dict,
) -> list[Any]:
    """The next entries of `view` for `reader`, in order, at most `limit`; its cursor moves with this transaction.

    `view` is schema-qualified and has a `position`; `columns` must include it. A second process of the same reader
    waits for the first to commit and goes on after it. [] when there is nothing new, or when the first did
    not finish within the lock time-out: the next nudge or sweep comes back.
    """
    try:
        # One second: a worker that waits here is not doing anything else.
        with _waiting(tx, 1.0):
            after = _lock_cursor(tx, reader)
    except LockNotAvailable:
        return []
    entries = tx.all(
        SQL("SELECT {columns} FROM {view} WHERE position > {after} ORDER BY position LIMIT {limit}").format(
            columns=SQL(", ").join(map(Identifier, columns)),
            view=Identifier(*view.split(".")),
            after=Literal(after),
            limit=Literal(limit),
        ),
        into=into,
    )
    if entries:
        last = entries[-1]
        position = last["position"] if isinstance(last, dict) else last.position
        tx.execute(
            "UPDATE log_cursor SET position = %(position)s WHERE reader = %(reader)s",
            {"reader": reader, "position": position},
        )
    return entries


def cursor(tx: Transaction, reader: str) -> int:
    """How far `reader` has come: the position of the last entry that took effect (0: none)."""
    return tx.value("SELECT position FROM log_cursor WHERE reader = %(reader)s", {"reader": reader}) or 0


def lag(tx: Transaction, reader: str, view: LiteralString) -> int:
    """How many entries of `view` `reader` has still to read."""
    # Not max(): through a view with a join Postgres would read every entry for it.
    newest_first = SQL("SELECT position FROM {} ORDER BY position DESC LIMIT 1")
    newest = tx.value(newest_first.format(Identifier(*view.split(".")))) or 0
    return int(newest) - cursor(tx, reader)


def behind(tx: Transaction, reader: str, view: LiteralString) -> tuple[int, int, float]:
    """How far `reader` is, how many entries of `view` it still has to read, and since how many seconds the next waits.

    `view` must have a `received_at`.
    """
    position, unread = cursor(tx, reader), lag(tx, reader, view)
    if unread <= 0:
        return position, 0, 0.0
    oldest = SQL("SELECT received_at FROM {} WHERE position > {} ORDER BY position LIMIT 1")
    next_one = SQL("SELECT extract(epoch FROM clock_timestamp() - ({}))").format(
        oldest.format(Identifier(*view.split(".")), Literal(position))
    )
    seconds = tx.value(next_one)
    return position, unread, max(0.0, float(seconds or 0.0))


@contextmanager
def _waiting(tx: Transaction, seconds: float) -> Iterator[None]:
    """Wait for locks no longer than this inside; LockNotAvailable undoes only what was done inside."""
    with tx.savepoint():
        _bound_waiting(tx, round(seconds * 1000))
        yield
        _bound_waiting(tx, LOCK_TIMEOUT_MS)


def _bound_waiting(tx: Transaction, ms: int) -> None:
    tx.execute("SELECT set_config('lock_timeout', %(ms)s, true)", {"ms": str(ms)})


def _lock_cursor(tx: Transaction, reader: str) -> int:
    tx.execute(
        "INSERT INTO log_cursor (reader, position) VALUES (%(reader)s, 0) ON CONFLICT DO NOTHING", {"reader": reader}
    )
    position: int = tx.value("SELECT position FROM log_cursor WHERE reader = %(reader)s FOR UPDATE", {"reader": reader})
    return position
