"""The audit log: who changed what. Each service keeps its own, written in the transaction of the change.

Who acts is plumbing like the request id: the caller of the request, or the platform itself where nobody asked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from flask import g, has_request_context

from shared import telemetry
from shared.crypto import SealError, is_sealed, seal, unseal
from shared.database import Transaction, transaction
from shared.ids import uuid7

# Fields of the things changed that hold people's particulars: kept sealed, opened for readers of the log.
CONTACT: Final = frozenset({"email", "allow_list", "address", "phone"})
KEPT_DAYS: Final = 730
CHUNK: Final = 20_000
MOST_CHUNKS: Final = 50
LONGEST_TEXT: Final = 500
LONGEST_LIST: Final = 50


@dataclass(frozen=True)
class Actor:
    """Who changes something. `kind`: user, key, system or visitor; `name`: an e-mail address, a key's, a program's."""

    kind: str
    id: str
    name: str


SYSTEM: Final = Actor("system", "system", "zhike")
VISITOR: Final = Actor("visitor", "", "")  # nobody knows who: not logged in


# What was done something to (its kind and id), and what changed: the state before and after.
Entry = tuple[tuple[str, object], Mapping[str, Any] | None, Mapping[str, Any] | None]


def record(
    tx: Transaction,
    action: str,
    subject: tuple[str, object],
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    actor: Actor | None = None,
) -> None:
    """Write down in `tx` that `action` was done to `subject` (its kind and id), by the caller unless `actor` says who.

    `before` and `after` hold what changed. Contact fields are sealed; long texts and lists are cut, so that an entry
    stays small.
    """
    record_many(tx, action, [(subject, before, after)], actor)


def record_many(tx: Transaction, action: str, entries: Iterable[Entry], actor: Actor | None = None) -> None:
    """As record(), for the same done to many, an entry each."""
    who = actor or caller()
    name = seal(who.name) if who.kind == "user" and who.name else who.name
    tx.many(
        """
        INSERT INTO audit_log (entry_id, actor_kind, actor_id, actor_name, action, subject_kind, subject_id,
                               before, after, request_id)
        VALUES (%(entry_id)s, %(actor_kind)s, %(actor_id)s, %(actor_name)s, %(action)s, %(subject_kind)s,
                %(subject_id)s, %(before)s::jsonb, %(after)s::jsonb, %(request_id)s)
        """,
        [
            {
                "entry_id": uuid7(),
                "actor_kind": who.kind,
                "actor_id": who.id,
                "actor_name": name,
                "action": action,
                "subject_kind": subject[0],
                "subject_id": str(subject[1]),
                "before": _json(before),
                "after": _json(after),
                "request_id": telemetry.request_id(),
            }
            for subject, before, after in entries
        ],
    )


def caller() -> Actor:
    """Whoever called this request: a key, a person behind the console, a sibling; else the platform itself."""
    found = g.get("principal") if has_request_context() else None
    if found is None:
        return SYSTEM
    if found.kind == "key":
        return Actor("key", str(found.key_id), found.name)
    # Of a person the token has the id alone; the console, which reads the log, knows the address.
    return Actor("user", found.name, "") if found.kind == "user" else Actor("system", found.name, found.name)


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What differs between two states of a thing: the old values and the new ones, of the same fields."""
    fields = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return ({name: before.get(name) for name in fields}, {name: after.get(name) for name in fields})


def opened(value: Any) -> Any:
    """What was recorded, with sealed values readable; a dash for what another key sealed."""
    if isinstance(value, dict):
        return {name: opened(item) for name, item in value.items()}
    if isinstance(value, list):
        return [opened(item) for item in value]
    if not is_sealed(value):
        return value
    try:
        return unseal(value)
    except SealError:
        return "—"  # sealed under a key this installation no longer has: the rest of the entry still counts


def forget(tx: Transaction, before: datetime, limit: int) -> int:
    """Remove up to `limit` entries older than `before`; returns how many went. Postgres refuses those of this year."""
    return tx.execute(
        """
        DELETE FROM audit_log
        WHERE entry_id IN (SELECT entry_id FROM audit_log WHERE at < %(before)s ORDER BY entry_id LIMIT %(limit)s)
        """,
        {"before": before, "limit": limit},
    ).rowcount


def prune(now: datetime) -> int:
    """Remove entries older than KEPT_DAYS, in small transactions; returns how many went. Part of a service's upkeep."""
    gone = 0
    for _ in range(MOST_CHUNKS):
        with transaction() as tx:
            some = forget(tx, now - timedelta(days=KEPT_DAYS), CHUNK)
        gone += some
        if some < CHUNK:
            break
    return gone


def _json(values: Mapping[str, Any] | None) -> str | None:
    return None if values is None else orjson.dumps(_plain(values), option=orjson.OPT_NON_STR_KEYS).decode()


def _plain(value: Any, *, personal: bool = False) -> Any:
    """JSON of bounded size, with the contact fields in it sealed."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item, personal=personal or name in CONTACT) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        shown = [_plain(item, personal=personal) for item in value[:LONGEST_LIST]]
        return shown if len(value) <= LONGEST_LIST else [*shown, f"… ({len(value)})"]
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value).replace("\0", "\ufffd")
    cut = text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}… ({len(text)})"
    return seal(cut) if personal and cut else cut
