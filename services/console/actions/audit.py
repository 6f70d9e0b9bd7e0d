"""The audit log: what every service wrote down of the changes made in it, read as one."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.console.actions import tables
from services.console.store import audit as store
from services.console.store import keys as key_store
from services.console.store import users as user_store
from services.console.store.audit import Filter
from shared import audit
from shared.audit import Actor
from shared.crypto import unseal
from shared.database import Row, transaction

EXPORT_ROWS: Final = 50_000
_CHUNK: Final = 500


@dataclass(frozen=True)
class Entry:
    """One line of the audit log, readable. `service`: where the change was made."""

    entry_id: UUID
    at: datetime
    service: str
    actor_kind: str
    actor_id: str
    actor_name: str
    action: str
    subject_kind: str
    subject_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str | None


def read(wanted: Filter, before_id: UUID | None = None, limit: int = 50) -> list[Entry]:
    """Entries from the newest on; with `before_id` the older ones after that entry."""
    with transaction(read_only=True) as tx:
        rows = store.page(tx, wanted, before_id, limit)
    return [_entry(row) for row in rows]


def actors() -> list[tuple[str, str, str]]:
    """Who may have changed something: kind, id and name of everybody who may enter, and of every key."""
    with transaction(read_only=True) as tx:
        people = [("user", str(row["user_id"]), unseal(row["email"])) for row in user_store.every(tx)]
        keys = [("key", str(row["key_id"]), row["name"]) for row in key_store.every(tx)]
    return [*people, *keys, ("system", audit.SYSTEM.id, audit.SYSTEM.name)]


def export(wanted: Filter, actor: Actor) -> str:
    """The log as CSV, newest first, up to EXPORT_ROWS; that it was taken is in the log, too."""
    with transaction() as tx:
        audit.record(tx, "audit.export", ("audit", "log"), after=asdict(wanted), actor=actor)
    return "".join(_lines(wanted))


def _lines(wanted: Filter) -> Iterator[str]:
    yield tables.BEGIN + tables.line([*Entry.__dataclass_fields__])
    last: UUID | None = None
    for _ in range(EXPORT_ROWS // _CHUNK):
        entries = read(wanted, last, _CHUNK)
        yield "".join(tables.line([*vars(entry).values()]) for entry in entries)
        if len(entries) < _CHUNK:
            return
        last = entries[-1].entry_id


def _entry(row: Row) -> Entry:
    name = audit.opened(row["actor_name"] or row["user_email"] or "")
    plain = {field: row[field] for field in row if field not in ("user_email", "actor_name", "before", "after")}
    return Entry(**plain, actor_name=name, before=audit.opened(row["before"]), after=audit.opened(row["after"]))
