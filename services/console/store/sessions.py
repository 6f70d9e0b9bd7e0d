"""Sessions of logged-in people, and failed log-ins."""

from datetime import datetime
from typing import Any
from uuid import UUID

from shared.database import Row, Transaction


def insert(tx: Transaction, session: dict[str, Any]) -> None:
    """Keep a new session."""
    tx.execute(
        """
        INSERT INTO session (token_hash, user_id, created_at, seen_at, expires_at)
        VALUES (%(token_hash)s, %(user_id)s, %(now)s, %(now)s, %(expires_at)s)
        """,
        session,
    )


def find(tx: Transaction, token_hash: bytes, now: datetime, idle_since: datetime) -> Row | None:
    """The person behind a session that is still good: not expired, not idle since `idle_since`, not disabled."""
    return tx.one(
        """
        SELECT s.seen_at, u.user_id, u.email, u.role, u.language
        FROM session s
        JOIN console_user u USING (user_id)
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


def delete_of_user(tx: Transaction, user_id: UUID, keep: bytes | None = None) -> None:
    """End all sessions of a person, but for the one to `keep`."""
    tx.execute(
        """
        DELETE FROM session
        WHERE user_id = %(user_id)s AND (%(keep)s::bytea IS NULL OR token_hash <> %(keep)s)
        """,
        {"user_id": user_id, "keep": keep},
    )


def failures(tx: Transaction, subjects: dict[str, str], since: datetime) -> dict[str, int]:
    """How often a log-in failed since then, by kind (user, address) of the subjects given."""
    rows = tx.all(
        """
        SELECT kind, count(*) AS failed
        FROM login_attempt
        WHERE at > %(since)s
          AND ((kind = 'user' AND subject = %(user)s) OR (kind = 'address' AND subject = %(address)s))
        GROUP BY kind
        """,
        {**subjects, "since": since},
    )
    return {row["kind"]: row["failed"] for row in rows}


def add_failure(tx: Transaction, subjects: dict[str, str], now: datetime) -> None:
    """Note a failed log-in against the person named and the address it came from."""
    tx.execute(
        """
        INSERT INTO login_attempt (kind, subject, at)
        VALUES ('user', %(user)s, %(now)s), ('address', %(address)s, %(now)s)
        """,
        {**subjects, "now": now},
    )


def clear_failures(tx: Transaction, subjects: dict[str, str], now: datetime) -> None:
    """Somebody has logged in: forget the person's failures, and of the address this one attempt, made at `now`."""
    tx.execute(
        """
        DELETE FROM login_attempt
        WHERE (kind = 'user' AND subject = %(user)s)
           OR (kind = 'address' AND subject = %(address)s AND at = %(now)s)
        """,
        {**subjects, "now": now},
    )


def lock_subjects(tx: Transaction, subjects: dict[str, str]) -> None:
    """Let attempts against the same person or from the same address pass one by one, until the commit."""
    tx.execute(
        """
        SELECT pg_advisory_xact_lock(key)
        FROM (SELECT hashtextextended(subject, 0) AS key
              FROM unnest(%(subjects)s::text[]) AS given (subject)
              ORDER BY 1) AS ordered
        """,
        {"subjects": [f"{kind}:{subject}" for kind, subject in subjects.items()]},
    )


def prune(tx: Transaction, now: datetime, attempts_before: datetime) -> int:
    """Remove sessions that have ended and attempts that no longer count; returns how many rows went."""
    sessions = tx.execute("DELETE FROM session WHERE expires_at <= %(now)s", {"now": now}).rowcount
    attempts = tx.execute("DELETE FROM login_attempt WHERE at <= %(before)s", {"before": attempts_before}).rowcount
    return sessions + attempts
