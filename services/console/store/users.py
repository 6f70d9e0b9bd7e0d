"""People who may enter the console."""

from typing import Any
from uuid import UUID

from shared.database import Row, Transaction


def insert(tx: Transaction, user: dict[str, Any]) -> bool:
    """Keep a new person; False where the address is taken."""
    return (
        tx.execute(
            """
            INSERT INTO console_user (user_id, email, email_index, password_hash, role, language)
            VALUES (%(user_id)s, %(email)s, %(email_index)s, %(password_hash)s, %(role)s, %(language)s)
            ON CONFLICT (email_index) DO NOTHING
            """,
            user,
        ).rowcount
        == 1
    )


def by_email(tx: Transaction, email_index: str) -> Row | None:
    """The person behind an address (by its blind index), password hash included."""
    return tx.one(
        """
        SELECT user_id, email, email_index, password_hash, role, language, disabled_at, version, totp_secret,
               totp_on_since
        FROM console_user
        WHERE email_index = %(email_index)s
        """,
        {"email_index": email_index},
    )


def get(tx: Transaction, user_id: UUID, lock: bool = False) -> Row | None:
    """One person; `lock` keeps others from changing it until the commit."""
    return tx.one(_SELECT_LOCKED if lock else _SELECT, {"user_id": user_id})


_SELECT = """
    SELECT user_id, email, email_index, password_hash, role, language, created_at, last_login_at, disabled_at, version,
           totp_secret, totp_on_since
    FROM console_user
    WHERE user_id = %(user_id)s
"""
_SELECT_LOCKED = _SELECT + "FOR UPDATE"


def every(tx: Transaction) -> list[Row]:
    """All people in the order they came."""
    return tx.all(
        """
        SELECT user_id, email, role, language, created_at, last_login_at, disabled_at, version,
               totp_on_since IS NOT NULL AS two_step
        FROM console_user
        ORDER BY user_id
        """
    )


def lock_admins(tx: Transaction) -> set[UUID]:
    """The admins who can log in, locked until the commit, so that two of them cannot remove each other."""
    rows = tx.all(
        """
        SELECT user_id
        FROM console_user
        WHERE role = 'admin' AND disabled_at IS NULL
        ORDER BY user_id
        FOR UPDATE
        """
    )
    return {row["user_id"] for row in rows}


def set_role(tx: Transaction, user_id: UUID, role: str) -> None:
    """Give a person another role."""
    tx.execute(
        "UPDATE console_user SET role = %(role)s, version = version + 1 WHERE user_id = %(user_id)s",
        {"user_id": user_id, "role": role},
    )


def set_disabled(tx: Transaction, user_id: UUID, disabled: bool) -> None:
    """Let a person log in, or not any more."""
    tx.execute(
        """
        UPDATE console_user
        SET disabled_at = CASE WHEN %(disabled)s THEN now() END, version = version + 1
        WHERE user_id = %(user_id)s
        """,
        {"user_id": user_id, "disabled": disabled},
    )


def set_password(tx: Transaction, user_id: UUID, password_hash: str) -> None:
    """Replace a person's password."""
    tx.execute(
        """
        UPDATE console_user
        SET password_hash = %(password_hash)s, version = version + 1
        WHERE user_id = %(user_id)s
        """,
        {"user_id": user_id, "password_hash": password_hash},
    )


def rehash(tx: Transaction, user_id: UUID, password_hash: str) -> None:
    """Keep the same password under today's parameters: no new version, nobody changed anything."""
    tx.execute(
        "UPDATE console_user SET password_hash = %(password_hash)s WHERE user_id = %(user_id)s",
        {"user_id": user_id, "password_hash": password_hash},
    )


def set_language(tx: Transaction, user_id: UUID, language: str) -> None:
    """Remember the language a person chose."""
    tx.execute(
        "UPDATE console_user SET language = %(language)s WHERE user_id = %(user_id)s",
        {"user_id": user_id, "language": language},
    )


def mark_login(tx: Transaction, user_id: UUID) -> list[str]:
    """Note that a person has just logged in; returns what they are to be told, which is told once."""
    found: list[str] = tx.value("SELECT notices FROM console_user WHERE user_id = %(user_id)s", {"user_id": user_id})
    tx.execute(
        "UPDATE console_user SET last_login_at = now(), notices = '{}' WHERE user_id = %(user_id)s",
        {"user_id": user_id},
    )
    return found


def tell(tx: Transaction, user_id: UUID, notice: str) -> None:
    """Have a person told something on the next log-in."""
    tx.execute(
        """
        UPDATE console_user SET notices = array_append(notices, %(notice)s)
        WHERE user_id = %(user_id)s AND NOT %(notice)s = ANY(notices)
        """,
        {"user_id": user_id, "notice": notice},
    )
