"""Slots: what people set, and what answers are made from."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from services.recommend.actions import experiments, shelf
from services.recommend.domain.slots import MOST_SLOTS, Slot, slot_of
from services.recommend.store import slots as store
from shared import audit
from shared.database import Row, Transaction, transaction
from shared.problems import Conflict, NotFound

VersionCheck = Callable[[object], None]
_NONE: Final = "none"


def slots() -> list[Row]:
    """All slots."""
    with transaction(read_only=True) as tx:
        return [_shown(row) for row in store.every(tx)]


def slot(name: str) -> Row:
    """One slot. Raises NotFound."""
    with transaction(read_only=True) as tx:
        return _shown(_get(tx, name))


def put_slot(name: str, given: Mapping[str, Any], check_version: VersionCheck) -> Row:
    """Create a slot or replace it. `check_version` refuses where somebody else has since the caller read it."""
    settings = _plain(given)
    slot_of(name, settings)
    with transaction() as tx:
        before = store.find(tx, name, lock=True)
        check_version(before["version"] if before else _NONE)
        if before is None and store.count(tx) >= MOST_SLOTS:
            raise Conflict(f"there are {MOST_SLOTS} slots already; delete one first", code="too_many_slots")
        store.put(tx, name, settings)
        experiments.follow(tx, name, before["settings"] if before else {}, settings)
        after = _get(tx, name)
        action = "slot.update" if before else "slot.create"
        audit.record(tx, action, ("slot", name), *audit.difference(before["settings"] if before else {}, settings))
    shelf.expect_change()
    return _shown(after)


def unkept(given: Mapping[str, Any]) -> Slot:
    """The slot that these settings would be, without its experiment. Raises SlotError, ExpressionError."""
    return slot_of("preview", {**given, "experiment": None})


def delete_slot(name: str, check_version: VersionCheck) -> None:
    """Take a slot out of use: requests that name it are refused from then on."""
    with transaction() as tx:
        before = store.find(tx, name, lock=True)
        if before is None:
            raise NotFound(f"there is no slot {name!r}")
        check_version(before["version"])
        store.remove(tx, name)
        experiments.follow(tx, name, before["settings"], {})
        audit.record(tx, "slot.delete", ("slot", name), before=before["settings"])
    shelf.expect_change()


def _get(tx: Transaction, name: str) -> Row:
    found = store.find(tx, name)
    if found is None:
        raise NotFound(f"there is no slot {name!r}")
    return found


def _shown(row: Row) -> Row:
    settings = {"promotions": [], **row["settings"]}  # slots kept by an earlier release have none
    if settings["experiment"] and settings["experiment"].get("started_at"):
        started_at = datetime.fromisoformat(settings["experiment"]["started_at"])
        settings["experiment"] = {**settings["experiment"], "started_at": started_at}
    return {**settings, "name": row["name"], "version": row["version"], "updated_at": row["updated_at"]}


def _plain(given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as JSON."""
    experiment = given["experiment"]
    if experiment and experiment["started_at"] is not None:
        experiment = {**experiment, "started_at": experiment["started_at"].isoformat()}
    return {**given, "experiment": experiment}
