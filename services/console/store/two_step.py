"""Secrets and recovery codes of the second step, and of whom it is asked."""

from collections.abc import Sequence
from uuid import UUID

from shared.database import Transaction


def propose(tx: Transaction, user_id: UUID, sealed: str) -> None:
    """Keep a secret that waits to be confirmed; one that is in force stays."""
    tx.execute(
        """
        UPDATE console_user SET totp_secret = %(sealed)s, totp_last_step = 0
        WHERE user_id = %(user_id)s AND totp_on_since IS NULL
        """,
        {"user_id": user_id, "sealed": sealed},
    )


def turn_on(tx: Transaction, user_id: UUID) -> None:
    """From now on the secret is asked for."""
    tx.execute("UPDATE console_user SET totp_on_since = now() WHERE user_id = %(user_id)s", {"user_id": user_id})


def turn_off(tx: Transaction, user_id: UUID) -> None:
    """Forget secret and recovery codes."""
    tx.execute(
        """
        UPDATE console_user SET totp_secret = NULL, totp_on_since = NULL, totp_last_step = 0
        WHERE user_id = %(user_id)s
        """,
        {"user_id": user_id},
    )
    tx.execute("DELETE FROM recovery_code WHERE user_id = %(user_id)s", {"user_id": user_id})


def take_step(tx: Transaction, user_id: UUID, step: int) -> bool:
    """Use up the code of a step; False where that or a later one was used already."""
    return (
        tx.execute(
            """
            UPDATE console_user SET totp_last_step = %(step)s
            WHERE user_id = %(user_id)s AND totp_last_step < %(step)s
            """,
            {"user_id": user_id, "step": step},
        ).rowcount
        == 1
    )


def replace_codes(tx: Transaction, user_id: UUID, hashes: Sequence[str]) -> None:
    """New recovery codes instead of the old ones."""
    tx.execute("DELETE FROM recovery_code WHERE user_id = %(user_id)s", {"user_id": user_id})
    tx.execute(
        "INSERT INTO recovery_code (user_id, code_hash) SELECT %(user_id)s, unnest(%(hashes)s::text[])",
        {"user_id": user_id, "hashes": list(hashes)},
    )


def use_code(tx: Transaction, user_id: UUID, code_hash: str) -> bool:
    """Use up a recovery code; False where there is none such, or it was used."""
    return (
        tx.execute(
            """
            UPDATE recovery_code SET used_at = now()
            WHERE user_id = %(user_id)s AND code_hash = %(code_hash)s AND used_at IS NULL
            """,
            {"user_id": user_id, "code_hash": code_hash},
        ).rowcount
        == 1
    )


def codes_left(tx: Transaction, user_id: UUID) -> int:
    """How many recovery codes a person has not used."""
    left: int = tx.value(
        "SELECT count(*) FROM recovery_code WHERE user_id = %(user_id)s AND used_at IS NULL", {"user_id": user_id}
    )
    return left


def required_roles(tx: Transaction, *, lock: bool = False) -> list[str]:
    """The roles that must log in with two steps."""
    if lock:
        tx.execute("SELECT FROM access_policy FOR UPDATE")
    roles: list[str] = tx.value("SELECT two_step_roles FROM access_policy")
    return roles


def require_of(tx: Transaction, roles: Sequence[str]) -> None:
    """Ask two steps of these roles and of no other."""
    tx.execute("UPDATE access_policy SET two_step_roles = %(roles)s", {"roles": list(roles)})
