"""Sessions of logged-in people."""

from datetime import datetime
from typing import Any
from uuid import UUID

from shared.database import Row, Transaction


def insert(tx: Transaction, session: dict[str, Any]) -> None:
    """Keep a new session."""
    tx.execute(
        """
        INSERT INTO session (token_hash, session_id, user_id, created_at, seen_at, expires_at, address, device)
        VALUES (%(token_hash)s, %(session_id)s, %(user_id)s, %(now)s, %(now)s, %(expires_at)s, %(address)s,
                %(device)s)
        """,
        session,
    )


def find(tx: Transaction, token_hash: bytes, now: datetime, idle_since: datetime) -> Row | None:
    """The person behind a session that is still good: not expired, not idle since `idle_since`, not disabled."""
    return tx.one(
        """
        SELECT s.session_id, s.seen_at, u.user_id, u.email, u.role, u.language, u.totp_on_since IS NOT NULL AS two_step,
               u.totp_on_since IS NULL AND u.role = ANY(policy.two_step_roles) AS must_set_up
        FROM session s
        JOIN console_user u USING (user_id)
        CROSS JOIN access_policy policy
        WHERE s.token_hash = %(token_hash)s AND s.expires_at > %(now)s AND s.seen_at > %(idle_since)s
          AND u.disabled_at IS NULL
        """,
        {"token_hash": token_hash, "now": now, "idle_since": idle_since},
    )


def touch(tx: Transaction, token_hash: bytes, now: datetime) -> None:
    """Note that a session is in use."""
    tx.execute(
        "UPDATE session SET seen_at = %(now)s WHERE token_hash = %(token_hash)s",
        {"token_hash": token_hash, "now": now},
    )


def delete(tx: Transaction, token_hash: bytes) -> None:
    """End one session."""
    tx.execute("DELETE FROM session WHERE token_hash = %(token_hash)s", {"token_hash": token_hash})


def delete_of_user(tx: Transaction, user_id: UUID, keep: UUID | None = None) -> int:
    """End all sessions of a person, but for the one to `keep`; returns how many ended."""
    return tx.execute(
        """
        DELETE FROM session
        WHERE user_id = %(user_id)s AND (%(keep)s::uuid IS NULL OR session_id <> %(keep)s)
        """,
        {"user_id": user_id, "keep": keep},
    ).rowcount


def of_user(tx: Transaction, user_id: UUID, now: datetime, idle_since: datetime) -> list[Row]:
    """The sessions of a person that are still good, the one in use last first."""
    return tx.all(
        """
        SELECT session_id, address, device, created_at, seen_at
        FROM session
        WHERE user_id = %(user_id)s AND expires_at > %(now)s AND seen_at > %(idle_since)s
        ORDER BY seen_at DESC, session_id
        """,
        {"user_id": user_id, "now": now, "idle_since": idle_since},
    )


def delete_one(tx: Transaction, user_id: UUID, session_id: UUID) -> int:
    """End one session of a person; returns how many there were."""
    return tx.execute(
        "DELETE FROM session WHERE user_id = %(user_id)s AND session_id = %(session_id)s",
        {"user_id": user_id, "session_id": session_id},
    ).rowcount


def prune(tx: Transaction, now: datetime) -> int:
    """Remove sessions that have ended; returns how many went."""
    return tx.execute("DELETE FROM session WHERE expires_at <= %(now)s", {"now": now}).rowcount
