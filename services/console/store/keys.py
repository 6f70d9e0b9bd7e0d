"""API keys as hashes."""

from typing import Any
from uuid import UUID

from shared.database import Row, Transaction


def insert(tx: Transaction, key: dict[str, Any]) -> None:
    """Keep a new key."""
    tx.execute(
        """
        INSERT INTO api_key (key_id, key_hash, hint, kind, name, scopes, created_by)
        VALUES (%(key_id)s, %(key_hash)s, %(hint)s, %(kind)s, %(name)s, %(scopes)s, %(created_by)s)
        """,
        key,
    )


def revoke(tx: Transaction, key_id: UUID) -> bool:
    """Mark a key as revoked now; False where it already was."""
    return (
        tx.execute(
            "UPDATE api_key SET revoked_at = now() WHERE key_id = %(key_id)s AND revoked_at IS NULL",
            {"key_id": key_id},
        ).rowcount
        == 1
    )


def get(tx: Transaction, key_id: UUID) -> Row | None:
    """One key, without its hash."""
    return tx.one(
        """
        SELECT key_id, hint, kind, name, scopes, created_at, created_by, revoked_at
        FROM api_key
        WHERE key_id = %(key_id)s
        """,
        {"key_id": key_id},
    )


def every(tx: Transaction) -> list[Row]:
    """All keys, the ones in force first, newest first."""
    return tx.all(
        """
        SELECT key_id, hint, kind, name, scopes, created_at, created_by, revoked_at
        FROM api_key
        ORDER BY revoked_at IS NOT NULL, key_id DESC
        """
    )
