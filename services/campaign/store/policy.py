"""The sending policy: one row."""

from collections.abc import Mapping
from typing import Any

from shared.database import Row, Transaction


def find_policy(tx: Transaction, *, lock: bool = False) -> Row:
    """Quiet hours, cap and time limit of promotional messages."""
    if lock:
        tx.execute("SELECT FROM sending_policy FOR UPDATE")
    row = tx.one(
        """
        SELECT quiet_start, quiet_end, cap_messages, cap_days, expire_hours, version, updated_at FROM sending_policy
        """
    )
    if row is None:
        raise LookupError("the sending policy's row is missing: the migrations have not run")
    return row


def update_policy(tx: Transaction, policy: Mapping[str, Any]) -> None:
    """Replace it."""
    tx.execute(
        """
        UPDATE sending_policy SET
            quiet_start = %(quiet_start)s, quiet_end = %(quiet_end)s, cap_messages = %(cap_messages)s,
            cap_days = %(cap_days)s, expire_hours = %(expire_hours)s, version = version + 1, updated_at = now()
        """,
        policy,
    )
