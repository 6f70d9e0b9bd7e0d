"""Events that could not be taken as they were, kept for a person to read and replay."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from shared.database import Row, Transaction


def add(tx: Transaction, events: Sequence[dict[str, Any]]) -> None:
    """Set events aside; `body` and `shared` come sealed."""
    tx.many(
        """
        INSERT INTO rejected_event (
            rejected_id, received_at, key_id, source, trusted, imported, type, reasons, body, shared
        )
        VALUES (
            %(rejected_id)s, %(received_at)s, %(key_id)s, %(source)s, %(trusted)s, %(imported)s, %(type)s,
            %(reasons)s, %(body)s, %(shared)s
        )
        """,
        [{**event, "reasons": Jsonb(event["reasons"])} for event in events],
    )


def newest(tx: Transaction, before: UUID | None, limit: int, *, replayed: bool) -> list[Row]:
    """Rejected events, newest first, from `before` on; those that have been replayed only if asked for."""
    return tx.all(
        """
        SELECT rejected_id, received_at, key_id, source, trusted, imported, type, reasons, body, replayed_at,
               replayed_by
        FROM rejected_event
        WHERE (%(before)s::uuid IS NULL OR rejected_id < %(before)s) AND (replayed_at IS NOT NULL) = %(replayed)s
        ORDER BY rejected_id DESC
        LIMIT %(limit)s
        """,
        {"before": before, "limit": limit, "replayed": replayed},
    )


def waiting(tx: Transaction, after: UUID | None, until: UUID, limit: int) -> list[UUID]:
    """The ids of the oldest events that nobody has replayed, behind `after`, up to `until`."""
    rows = tx.all(
        """
        SELECT rejected_id FROM rejected_event
        WHERE replayed_at IS NULL AND rejected_id <= %(until)s
          AND (%(after)s::uuid IS NULL OR rejected_id > %(after)s)
        ORDER BY rejected_id LIMIT %(limit)s
        """,
        {"after": after, "until": until, "limit": limit},
    )
    return [row["rejected_id"] for row in rows]


def last_waiting(tx: Transaction) -> UUID | None:
    """The newest event that nobody has replayed."""
    query = "SELECT rejected_id FROM rejected_event WHERE replayed_at IS NULL ORDER BY rejected_id DESC LIMIT 1"
    found: UUID | None = tx.value(query)
    return found


def claim(tx: Transaction, ids: Sequence[UUID], *, wait: bool) -> list[Row]:
    """These events, locked in the order of their ids; unless `wait`, without what others hold or have replayed."""
    return tx.all(_CLAIM_NAMED if wait else _CLAIM_FREE, {"ids": list(ids)})


_CLAIM_NAMED: Final = """
    SELECT * FROM rejected_event WHERE rejected_id = ANY(%(ids)s) ORDER BY rejected_id FOR UPDATE
"""
_CLAIM_FREE: Final = """
    SELECT * FROM rejected_event WHERE rejected_id = ANY(%(ids)s) AND replayed_at IS NULL
    ORDER BY rejected_id FOR UPDATE SKIP LOCKED
"""


def get(tx: Transaction, rejected_id: UUID) -> Row | None:
    """One rejected event, locked."""
    return tx.one("SELECT * FROM rejected_event WHERE rejected_id = %(id)s FOR UPDATE", {"id": rejected_id})


def mark_replayed(tx: Transaction, ids: Sequence[UUID], at: datetime, by: str) -> None:
    """Note that these events have gone in after all."""
    tx.execute(
        "UPDATE rejected_event SET replayed_at = %(at)s, replayed_by = %(by)s WHERE rejected_id = ANY(%(ids)s)",
        {"ids": list(ids), "at": at, "by": by},
    )


def count_waiting(tx: Transaction, after: UUID | None = None, until: UUID | None = None) -> int:
    """How many rejected events nobody has replayed; of those behind `after` and up to `until` where they are given."""
    return int(
        tx.value(
            """
            SELECT count(*) FROM rejected_event
            WHERE replayed_at IS NULL AND (%(after)s::uuid IS NULL OR rejected_id > %(after)s)
              AND (%(until)s::uuid IS NULL OR rejected_id <= %(until)s)
            """,
            {"after": after, "until": until},
        )
    )


def oldest_waiting(tx: Transaction) -> datetime | None:
    """When the oldest event was set aside that nobody has replayed."""
    query = "SELECT received_at FROM rejected_event WHERE replayed_at IS NULL ORDER BY rejected_id LIMIT 1"
    found: datetime | None = tx.value(query)
    return found


def forget(tx: Transaction, before: datetime, limit: int) -> int:
    """Delete at most `limit` events received before an instant; returns how many went."""
    return tx.execute(
        """
        DELETE FROM rejected_event WHERE rejected_id IN (
            SELECT rejected_id FROM rejected_event WHERE received_at < %(before)s ORDER BY rejected_id LIMIT %(limit)s
        )
        """,
        {"before": before, "limit": limit},
    ).rowcount
