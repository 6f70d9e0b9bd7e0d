"""Events that could not be taken: setting them aside, reading them, replaying them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from services.profile.actions import collect, opened
from services.profile.actions.collect import SERVER_LIMITS, Judged, Sender
from services.profile.domain.batches import Batch
from services.profile.store import rejected as store
from services.profile.store.failures import is_fault_of_the_data
from shared import audit, crypto, telemetry
from shared.database import Row, Transaction, transaction
from shared.ids import uuid7
from shared.problems import Conflict, Invalid, NotFound
from shared.shop import shop

# One request replays so many at most, and begins no slice after so long: who asks goes on with the cursor.
MOST_AT_ONCE: Final = 1000
LONGEST_S: Final = 2.0
SLICE: Final = 50  # events of one transaction; each may have a megabyte

_log = telemetry.get_logger(__name__)


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
        sender, judged = _judge(row, body, shop(tx).region)
        if judged.refused:
            reason = judged.refused[0].reason
            raise Invalid(reason.message, code=reason.code, errors=[{"path": reason.path, "message": reason.message}])
        collect.keep(tx, [(judged.accepted, sender, row["received_at"])])
        now = datetime.now(UTC)
        store.mark_replayed(tx, [rejected_id], now, by)
        audit.record(tx, "event.replay", *_written(row, judged, corrected=corrected is not None))
    return {"rejected_id": rejected_id, "replayed_at": now, "message_id": judged.accepted[0].message_id}


@dataclass
class _Pass:
    """A walk over events that were set aside, oldest first. `named`: those still to come; None: all up to `until`."""

    named: list[UUID] | None
    after: UUID | None
    until: UUID | None
    replayed: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)
    tried: int = 0

    def following(self) -> list[UUID]:
        """The next slice; empty at the end."""
        most = min(SLICE, MOST_AT_ONCE - self.tried)
        if self.named is not None:
            return self.named[:most]
        with transaction(read_only=True) as tx:
            self.until = self.until or store.last_waiting(tx)
            return store.waiting(tx, self.after, self.until, most) if self.until else []

    def passed(self, ids: Sequence[UUID]) -> None:
        """These have been tried."""
        self.tried, self.after = self.tried + len(ids), ids[-1]
        if self.named is not None:
            self.named = self.named[len(ids) :]

    def refuse(self, rejected_id: UUID, code: str, message: str) -> None:
        """This one stays."""
        self.refused.append({"rejected_id": rejected_id, "code": code, "message": message})


def replay_many(
    rejected_ids: Sequence[UUID] | None, by: str, after: UUID | None = None, until: UUID | None = None
) -> dict[str, Any]:
    """Replay these events (None: all that wait), oldest first, behind `after` and up to `until` where they are given.

    At most MOST_AT_ONCE, and for about LONGEST_S: `remaining` says how many of them were not reached, `after` and
    `until` where to go on. A pass over all ends with what waited when it began. They go in slices, each a transaction:
    killed between two, whole slices are in, and marked so. Returns how many went in, and those refused with the reason.
    """
    named = None if rejected_ids is None else sorted({one for one in rejected_ids if after is None or one > after})
    walk = _Pass(named, after, until or (named[-1] if named else None))
    ends = time.monotonic() + LONGEST_S
    while ids := walk.following():
        _replay_slice(walk, ids, by)
        walk.passed(ids)
        if walk.tried >= MOST_AT_ONCE or time.monotonic() >= ends:
            break
    with transaction(read_only=True) as tx:
        waiting = store.count_waiting(tx)
        remaining = _remaining(tx, walk)
    return {
        "replayed": walk.replayed,
        "refused": walk.refused,
        "waiting": waiting,
        "remaining": remaining,
        "after": walk.after,
        "until": walk.until,
    }


def _remaining(tx: Transaction, walk: _Pass) -> int:
    if walk.named is not None:
        return len(walk.named)
    return store.count_waiting(tx, walk.after, walk.until) if walk.until else 0


def _replay_slice(walk: _Pass, ids: Sequence[UUID], by: str) -> None:
    """Replay these in one transaction; where Postgres refuses what one of them holds, each in one of its own."""
    try:
        replayed, refused = _replay_together(ids, by, named=walk.named is not None)
    except Exception as error:  # whose fault it is, is asked
        if not is_fault_of_the_data(error):
            raise
        if len(ids) > 1:
            for rejected_id in ids:
                _replay_slice(walk, [rejected_id], by)
        else:
            _log.warning("replay_not_kept", rejected_id=str(ids[0]), error=type(error).__name__)
            walk.refuse(ids[0], "cannot_be_kept", "the database cannot keep what this event holds")
        return
    walk.replayed += replayed
    for one in refused:
        walk.refuse(*one)


def _replay_together(ids: Sequence[UUID], by: str, *, named: bool) -> tuple[int, list[tuple[UUID, str, str]]]:
    """How many of these went in, and which did not: code and message. Of all, what others are at is passed over."""
    kept, entries, refused = [], [], []
    with transaction() as tx:
        rows = store.claim(tx, ids, wait=named)
        region = shop(tx).region
        for row in rows:
            if row["replayed_at"] is not None:
                refused.append((row["rejected_id"], "already_replayed", "this event has been replayed already"))
                continue
            sender, judged = _judge(row, _body(row), region)
            if judged.refused:
                reason = judged.refused[0].reason
                refused.append((row["rejected_id"], reason.code, reason.message))
                continue
            kept.append((row["rejected_id"], (judged.accepted, sender, row["received_at"])))
            entries.append(_written(row, judged, corrected=False))
        collect.keep(tx, [arrived for _, arrived in kept])
        store.mark_replayed(tx, [rejected_id for rejected_id, _ in kept], datetime.now(UTC), by)
        audit.record_many(tx, "event.replay", entries)
    if named:
        gone = set(ids) - {row["rejected_id"] for row in rows}
        refused += [(one, "not_found", "there is no such rejected event") for one in sorted(gone)]
    return len(kept), refused


def _judge(row: Row, body: bytes, region: str) -> tuple[Sender, Judged]:
    """Whose event it was, and what is to be said of it today; its time is judged by when it first came."""
    sender = Sender(row["source"], row["key_id"], row["trusted"], row["imported"], row["type"])
    return sender, collect.read(_batch(row, body), sender, row["received_at"], SERVER_LIMITS.event, region)


def _written(row: Row, judged: Judged, *, corrected: bool) -> audit.Entry:
    """What the audit log says of it. Events and what is said of them may be personal: it gets neither, only codes."""
    before = {"reasons": [reason["code"] for reason in row["reasons"]]}
    after = {"corrected": corrected, "message_id": judged.accepted[0].message_id}
    return ("event", row["rejected_id"]), before, after


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
