"""The audit log: written with every change, never altered."""

from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from shared.database import Row, Transaction


def append(tx: Transaction, entry: dict[str, Any]) -> None:
    """Write one entry."""
    tx.execute(
        """
        INSERT INTO audit_log (entry_id, actor_kind, actor_id, actor_name, action, subject_kind, subject_id,
                               before, after, request_id)
        VALUES (%(entry_id)s, %(actor_kind)s, %(actor_id)s, %(actor_name)s, %(action)s, %(subject_kind)s,
                %(subject_id)s, %(before)s, %(after)s, %(request_id)s)
        """,
        {**entry, "before": _json(entry["before"]), "after": _json(entry["after"])},
    )


def page(tx: Transaction, before_id: UUID | None, subject_kind: str | None, limit: int) -> list[Row]:
    """Entries from the newest on, older than `before_id` where that is given."""
    return tx.all(
        """
        SELECT entry_id, at, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, before, after,
               request_id
        FROM audit_log
        WHERE (%(before_id)s::uuid IS NULL OR entry_id < %(before_id)s)
          AND (%(subject_kind)s::text IS NULL OR subject_kind = %(subject_kind)s)
        ORDER BY entry_id DESC
        LIMIT %(limit)s
        """,
        {"before_id": before_id, "subject_kind": subject_kind, "limit": limit},
    )


def _json(value: dict[str, Any] | None) -> Jsonb | None:
    return None if value is None else Jsonb(value)
