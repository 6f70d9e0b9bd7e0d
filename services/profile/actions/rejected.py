"""Events that could not be taken: setting them aside, reading them, replaying them."""

from collections.abc import Sequence
from typing import Any

import msgspec

from services.profile.actions import opened
from services.profile.store import rejected as store
from shared import crypto
from shared.database import Row, Transaction
from shared.ids import uuid7


def set_aside(tx: Transaction, rows: Sequence[Row], code: str, message: str) -> None:
    """Keep rows of the intake that cannot be appended, as events that can be read and replayed."""
    if rows:
        store.add(
            tx,
            [
                {
                    **{name: row[name] for name in ("received_at", "key_id", "source", "trusted", "imported")},
                    "rejected_id": uuid7(),
                    "type": None,
                    "reasons": [{"code": code, "path": "", "message": message}],
                    "body": crypto.seal(msgspec.json.encode(_event_of(row)).decode()),
                    "shared": None,
                }
                for row in rows
            ],
        )


def _event_of(row: Row) -> dict[str, Any]:
    """An intake row as the event it was."""
    event = {
        **opened.everything(row["payload"]),
        "type": row["type"],
        "messageId": row["message_id"],
        "timestamp": row["occurred_at"].isoformat(),
    }
    if row["event"] is not None:
        event["event" if row["type"] == "track" else "name"] = row["event"]
    return event
