"""The event log: its partitions by position, its own entries, and reading one customer's timeline."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from psycopg import sql

from shared import log
from shared.database import LockNotAvailable, Row, Transaction

LOG: Final = "events"
PARTITION: Final = 5_000_000


def ensure_partitions(tx: Transaction, last: int) -> None:
    """Make the partitions up to position `last` that are missing."""
    for number in range(_made(tx), last // PARTITION + 1):
        _make_partition(tx, number)


def _make_partition(tx: Transaction, number: int) -> None:
    # Made beside the log and attached, which unlike CREATE TABLE … PARTITION OF keeps nobody from reading meanwhile.
    name = sql.Identifier(f"event_log_{number:05}")
    bounds = sql.Literal(number * PARTITION), sql.Literal((number + 1) * PARTITION)
    tx.execute(sql.SQL("CREATE TABLE {} (LIKE event_log INCLUDING CONSTRAINTS INCLUDING COMPRESSION)").format(name))
    attach = sql.SQL("ALTER TABLE event_log ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})")
    tx.execute(attach.format(name, *bounds))


def add_changes(tx: Transaction, first: int, changes: Sequence[tuple[str, dict[str, Any]]], now: datetime) -> None:
    """Append merges and splits: (type, payload) each, from position `first` on."""
    tx.execute(
        """
        INSERT INTO event_log (
            position, message_id, type, occurred_at, received_at, imported, trusted, source, payload
        )
        SELECT %(first)s + place - 1, type || '-' || (%(first)s + place - 1), type, %(now)s, %(now)s, false, true,
               'profile', payload
        FROM unnest(%(types)s::text[], %(payloads)s::text[]::jsonb[])
             WITH ORDINALITY AS change (type, payload, place)
        """,
        {
            "first": first,
            "now": now,
            "types": [kind for kind, _ in changes],
            "payloads": [orjson.dumps(payload).decode() for _, payload in changes],
        },
    )


def head(tx: Transaction) -> Row:
    """The last position and where the last partition ends."""
    return {"position": log.head(tx, LOG), "room_until": _made(tx) * PARTITION - 1}


def _made(tx: Transaction) -> int:
    """How many partitions were ever made; the oldest may have been dropped."""
    return max(_partitions(tx), default=-1) + 1


def _partitions(tx: Transaction) -> list[int]:
    """The numbers of the partitions there are."""
    rows = tx.all(
        r"""
        SELECT substring(c.relname FROM '^event_log_(\d+)$')::int AS number
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'event_log'::regclass AND c.relname ~ '^event_log_\d+$'
        """
    )
    return [row["number"] for row in rows]


def let_go(tx: Transaction, before: datetime, read_to: int) -> int | None:
    """Drop the oldest partition if all of it was received before an instant and lies at or below `read_to`.

    Returns its number; None: there is none, or somebody reads it for longer than a second. The partition that is
    written to now, and so the log's newest entry, always stays.
    """
    oldest = min(_partitions(tx), default=None)
    if oldest is None or (oldest + 1) * PARTITION > min(read_to, log.head(tx, LOG)):
        return None
    name = sql.Identifier(f"event_log_{oldest:05}")
    newest = tx.value(sql.SQL("SELECT received_at FROM {} ORDER BY position DESC LIMIT 1").format(name))
    if newest is not None and newest >= before:
        return None
    # Whoever queues behind us waits as long as we do.
    tx.execute("SET LOCAL lock_timeout = '1s'")
    try:
        with tx.savepoint():
            tx.execute(sql.SQL("DROP TABLE {}").format(name))
    except LockNotAvailable:
        return None
    return oldest


def read_to(tx: Transaction) -> int:
    """How far the slowest reader of this log has come (0: one has not begun)."""
    return int(
        tx.value(
            """
            SELECT least(
                coalesce((SELECT max(position) FROM segmentation_out.cursors_v1), 0),
                coalesce((SELECT max(position) FROM recommend_out.cursors_v1), 0),
                coalesce((SELECT max(position) FROM campaign_out.cursors_v1), 0)
            )
            """
        )
    )


def timeline(
    tx: Transaction, customer_id: UUID, before: tuple[datetime, int] | None, limit: int, kinds: Sequence[str] | None
) -> list[Row]:
    """A customer's events, newest first, from (occurred_at, position) `before` on."""
    occurred_at, position = before or (None, None)
    return tx.all(
        """
        SELECT e.position, e.message_id, e.type, e.event, e.identity_id, e.occurred_at, e.received_at, e.imported,
               e.trusted, e.source, e.payload
        FROM event_log e
        WHERE e.identity_id = ANY(ARRAY(SELECT identity_id FROM identity WHERE customer_id = %(customer_id)s))
          AND (%(occurred_at)s::timestamptz IS NULL
               OR (e.occurred_at, e.position) < (%(occurred_at)s, %(position)s::bigint))
          AND (%(kinds)s::text[] IS NULL OR e.type = ANY(%(kinds)s))
        ORDER BY e.occurred_at DESC, e.position DESC
        LIMIT %(limit)s
        """,
        {
            "customer_id": customer_id,
            "occurred_at": occurred_at,
            "position": position,
            "limit": limit,
            "kinds": list(kinds) if kinds else None,
        },
    )
