"""Addresses that are written to no more."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.database import Row, Transaction


def add(tx: Transaction, entries: Sequence[Mapping[str, Any]]) -> None:
    """Suppress addresses (address sealed, address_index, channel, scope, reason, source); the first reason stays."""
    tx.many(
        """
        INSERT INTO suppression (address_index, channel, scope, address, reason, source)
        VALUES (%(address_index)s, %(channel)s, %(scope)s, %(address)s, %(reason)s, %(source)s)
        ON CONFLICT DO NOTHING
        """,
        entries,
    )


def remove(tx: Transaction, address_index: str, channel: str) -> int:
    """Write to an address again. Returns how many entries that took away."""
    return tx.execute(
        "DELETE FROM suppression WHERE address_index = %(address_index)s AND channel = %(channel)s",
        {"address_index": address_index, "channel": channel},
    ).rowcount


def reasons(tx: Transaction, indexes: Sequence[str], channel: str, purpose: str) -> dict[str, str]:
    """Which of these addresses may not get a message of this purpose, and why."""
    rows = tx.all(
        """
        SELECT address_index, min(reason) AS reason FROM suppression
        WHERE address_index = ANY(%(indexes)s) AND channel = %(channel)s
          AND (scope = 'all' OR %(purpose)s = 'promotional')
        GROUP BY address_index
        """,
        {"indexes": list(indexes), "channel": channel, "purpose": purpose},
    )
    return {row["address_index"]: row["reason"] for row in rows}


def list_suppressions(tx: Transaction, after: tuple[datetime, str] | None, limit: int) -> list[Row]:
    """Suppressed addresses (sealed), newest first."""
    return tx.all(
        """
        SELECT address_index, channel, scope, address, reason, source, created_at FROM suppression
        WHERE %(at)s::timestamptz IS NULL OR (created_at, address_index) < (%(at)s::timestamptz, %(index)s::text)
        ORDER BY created_at DESC, address_index DESC LIMIT %(limit)s
        """,
        {"at": after and after[0], "index": after and after[1], "limit": limit},
    )
