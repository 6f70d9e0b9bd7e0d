"""Events that could not be taken: setting them aside, reading them, replaying them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from services.profile.actions import collect, opened
from services.profile.actions.collect import SERVER_LIMITS, Sender
from services.profile.domain.batches import Batch
from services.profile.store import rejected as store
from shared import audit, crypto
from shared.database import Row, Transaction, transaction
from shared.ids import uuid7
from shared.problems import Conflict, Invalid, NotFound
from shared.shop import shop

MOST_AT_ONCE: Final = 500


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


def newest(before: UUID | None, limit: int, *, replayed: bool) -> list[dict[str, Any]]:
    """Rejected events, newest first, with what was sent."""
    with transaction(read_only=True) as tx:
        return [_readable(row) for row in store.newest(tx, before, limit, replayed=replayed)]


def replay(rejected_id: UUID, corrected: dict[str, Any] | None, by: str) -> dict[str, Any]:
    """Take a rejected event in after all, as it was or corrected, as if it came now from the same sender.

    Its time is judged by when it first came. Raises NotFound, Conflict (replayed already), Invalid (refused again).
    """
    with transaction() as tx:
        row = store.get(tx, rejected_id)
        if row is None:
            raise NotFound("there is no such rejected event")
        if row["replayed_at"] is not None:
            raise Conflict("this event has been replayed already", code="already_replayed")
        body = msgspec.json.encode(corrected) if corrected is not None else _body(row)
        sender = Sender(row["source"], row["key_id"], row["trusted"], row["imported"], row["type"])
        outcome = collect.read(_batch(row, body), sender, row["received_at"], SERVER_LIMITS.event, shop(tx).region)
        if outcome.refused:
            reason = outcome.refused[0].reason
            raise Invalid(reason.message, code=reason.code, errors=[{"path": reason.path, "message": reason.message}])
        collect.keep(tx, outcome.accepted, sender, row["received_at"])
        now = datetime.now(UTC)
        store.mark_replayed(tx, rejected_id, now, by)
        # Events and what is said of them may be personal: the log gets neither, only the codes.
        before = {"reasons": [reason["code"] for reason in row["reasons"]]}
        after = {"corrected": corrected is not None, "message_id": outcome.accepted[0].message_id}
        audit.record(tx, "event.replay", ("event", rejected_id), before, after)
    return {"rejected_id": rejected_id, "replayed_at": now, "message_id": outcome.accepted[0].message_id}


def replay_many(rejected_ids: Sequence[UUID] | None, by: str) -> dict[str, Any]:
    """Replay these events (None: the oldest that wait, at most MOST_AT_ONCE), each in a transaction of its own.

    Returns how many went in, those that were refused again with the reason, and how many still wait.
    """
    if rejected_ids is None:
        with transaction(read_only=True) as tx:
            rejected_ids = store.oldest(tx, MOST_AT_ONCE)
    replayed, refused = 0, []
    for rejected_id in rejected_ids:
        try:
            replay(rejected_id, None, by)
            replayed += 1
        except (Invalid, Conflict, NotFound) as problem:
            refused.append({"rejected_id": rejected_id, "code": problem.code, "message": problem.detail})
    with transaction(read_only=True) as tx:
        return {"replayed": replayed, "refused": refused, "waiting": store.count_waiting(tx)}


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


def _body(row: Row) -> bytes:
    return opened.text(row["body"]).encode("utf-8", "surrogateescape")


def _batch(row: Row, body: bytes) -> Batch:
    said = msgspec.json.decode(opened.text(row["shared"])) if row["shared"] else {}
    return Batch([body], None, said.get("sentAt"), said.get("context"), said.get("integrations"))


def _readable(row: Row) -> dict[str, Any]:
    """A rejected event for people: its body as JSON where it is some, else as text."""
    body = _body(row)
    try:
        event = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        event = body.decode("utf-8", "backslashreplace")
    return {**{name: row[name] for name in row if name != "body"}, "event": event}
