"""The audit log: every change with who, what, before and after."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.console.domain.audit import Actor
from services.console.store import audit as store
from shared import telemetry
from shared.crypto import SealError, is_sealed, seal, unseal
from shared.database import Transaction, transaction
from shared.ids import uuid7

# Fields of the things changed that hold addresses of people.
_CONTACT: Final = frozenset({"email", "allow_list", "address", "phone"})


@dataclass(frozen=True)
class Entry:
    """One line of the audit log, readable."""

    entry_id: UUID
    at: datetime
    actor_kind: str
    actor_id: str
    actor_name: str
    action: str
    subject_kind: str
    subject_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str | None


def record(
    tx: Transaction,
    actor: Actor,
    action: str,
    subject: tuple[str, object],
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write down in `tx` that `actor` did `action` to `subject` (its kind and id). Values must be JSON or text."""
    store.append(
        tx,
        {
            "entry_id": uuid7(),
            "actor_kind": actor.kind,
            "actor_id": actor.id,
            "actor_name": seal(actor.name) if actor.kind == "user" else actor.name,
            "action": action,
            "subject_kind": subject[0],
            "subject_id": str(subject[1]),
            "before": None if before is None else _sealed(before),
            "after": None if after is None else _sealed(after),
            "request_id": telemetry.request_id(),
        },
    )


def record_outside(
    actor: Actor,
    action: str,
    subject: tuple[str, object],
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write down a change that a sibling has just carried out for `actor`."""
    with transaction() as tx:
        record(tx, actor, action, subject, before, after)


def read(before_id: UUID | None = None, subject_kind: str | None = None, limit: int = 50) -> list[Entry]:
    """Entries from the newest on; with `before_id` the older ones after that entry."""
    with transaction(read_only=True) as tx:
        rows = store.page(tx, before_id, subject_kind, limit)
    return [
        Entry(
            **{
                **row,
                "actor_name": _open(row["actor_name"]),
                "before": _opened(row["before"]),
                "after": _opened(row["after"]),
            }
        )
        for row in rows
    ]


def _sealed(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _seal_in(value) if name in _CONTACT else _plain(value) for name, value in values.items()}


def _seal_in(value: Any) -> Any:
    if isinstance(value, str):
        return seal(value) if value else value
    if isinstance(value, list | tuple):
        return [_seal_in(item) for item in value]
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _opened(values: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if values is None else {name: _open(value) for name, value in values.items()}


def _open(value: Any) -> Any:
    if isinstance(value, list):
        return [_open(item) for item in value]
    if not is_sealed(value):
        return value
    try:
        return unseal(value)
    except SealError:
        return "—"  # sealed under a key this installation no longer has: the rest of the entry still counts
