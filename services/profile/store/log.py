"""The event log: its partitions by position, its own entries, and reading one customer's timeline."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from shared import log
from shared.database import Row, Transaction

LOG: Final = "events"
PARTITION: Final = 5_000_000


def ensure_partitions(tx: Transaction, last: int) -> None:
    """Make the partitions up to position `last` that are missing."""
    made = tx.value("SELECT count(*) FROM pg_inherits WHERE inhparent = 'event_log'::regclass")
    for number in range(made, last // PARTITION + 1):
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
    tx.many(
        """
        INSERT INTO event_log (
            position, message_id, type, occurred_at, received_at, imported, trusted, source, payload
        )
        VALUES (%(position)s, %(message_id)s, %(type)s, %(now)s, %(now)s, false, true, 'profile', %(payload)s)
        """,
        [
            {
                "position": first + offset,
                "message_id": f"{kind}-{first + offset}",
                "type": kind,
                "now": now,
                "payload": Jsonb(payload),
            }
            for offset, (kind, payload) in enumerate(changes)
        ],
    )


def head(tx: Transaction) -> Row:
    """The last position and where the last partition ends."""
    made = tx.value("SELECT count(*) FROM pg_inherits WHERE inhparent = 'event_log'::regclass")
    return {"position": log.head(tx, LOG), "room_until": made * PARTITION - 1}


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
