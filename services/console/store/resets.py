"""Requests for a link to reset a password, and the links, as hashes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from shared.database import Row, Transaction


def ask(tx: Transaction, request: dict[str, Any]) -> None:
    """Somebody asks for a link; a worker sees to it."""
    tx.execute(
        """
        INSERT INTO reset_request (request_id, email_index, language, asked_at, due_at)
        VALUES (%(request_id)s, %(email_index)s, %(language)s, %(now)s, %(now)s)
        """,
        request,
    )


def take(tx: Transaction, now: datetime, until: datetime) -> Row | None:
    """One request whose time has come, put off `until` then, in case we do not live to see to it."""
    return tx.one(
        """
        UPDATE reset_request SET due_at = %(until)s, attempts = attempts + 1
        WHERE request_id = (
            SELECT request_id FROM reset_request WHERE due_at <= %(now)s
            ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
        )
        RETURNING request_id, email_index, language, asked_at, attempts
        """,
        {"now": now, "until": until},
    )


def put_off(tx: Transaction, request_id: UUID, until: datetime) -> None:
    """Try a request again later."""
    tx.execute(
        "UPDATE reset_request SET due_at = %(until)s WHERE request_id = %(request_id)s",
        {"request_id": request_id, "until": until},
    )


def settle(tx: Transaction, request_id: UUID) -> None:
    """A request is done with."""
    tx.execute("DELETE FROM reset_request WHERE request_id = %(request_id)s", {"request_id": request_id})


def insert(tx: Transaction, link: dict[str, Any]) -> None:
    """Keep a new link."""
    tx.execute(
        """
        INSERT INTO password_reset (token_hash, user_id, created_at, expires_at)
        VALUES (%(token_hash)s, %(user_id)s, %(now)s, %(expires_at)s)
        """,
        link,
    )


def find(tx: Transaction, token_hash: bytes, now: datetime, *, lock: bool = False) -> UUID | None:
    """Whose link this is, while it can be used. With `lock` nobody else uses it until the commit."""
    values = {"token_hash": token_hash, "now": now}
    if lock:
        tx.execute("SELECT FROM password_reset WHERE token_hash = %(token_hash)s FOR UPDATE", values)
    found: UUID | None = tx.value(
        "SELECT user_id FROM password_reset WHERE token_hash = %(token_hash)s AND expires_at > %(now)s", values
    )
    return found


def forget_of_user(tx: Transaction, user_id: UUID) -> None:
    """End all links of a person: one of them was used, or the password was changed otherwise."""
    tx.execute("DELETE FROM password_reset WHERE user_id = %(user_id)s", {"user_id": user_id})


def prune(tx: Transaction, now: datetime) -> int:
    """Remove links that have ended; returns how many went."""
    return tx.execute("DELETE FROM password_reset WHERE expires_at <= %(now)s", {"now": now}).rowcount
