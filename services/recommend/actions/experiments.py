"""Experiments of slots: started, read, stopped, and the best variant taken over."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from services.recommend.actions import shelf
from services.recommend.domain.experiments import BEFORE, Arm, outcome
from services.recommend.domain.slots import slot_of
from services.recommend.store import experiments as store
from services.recommend.store import slots
from shared import audit, shop
from shared.database import Row, Transaction, transaction
from shared.ids import uuid7
from shared.problems import Conflict, NotFound

_MOST = 50


def start(slot: str, variants: list[dict[str, Any]]) -> dict[str, Any]:
    """Divide the people of a slot from now on. Raises NotFound, Conflict where one runs, SlotError."""
    now = datetime.now(UTC)
    with transaction() as tx:
        before = _slot(tx, slot)
        if _running(before["settings"]):
            raise Conflict("an experiment runs in this slot already; stop it first", code="experiment_runs")
        experiment_id = str(uuid7())
        experiment = {
            "id": experiment_id,
            "salt": secrets.token_hex(8),
            "variants": variants,
            "started_at": now.isoformat(),
        }
        _put(tx, slot, before["settings"], {**before["settings"], "experiment": experiment}, "experiment.start")
        begun = _told(_get(tx, experiment_id))
    shelf.expect_change()
    return begun


def stop(slot: str, apply: str | None) -> dict[str, Any]:
    """End the experiment of a slot; with `apply`, the slot is from then on as that variant. Raises NotFound."""
    with transaction() as tx:
        before = _slot(tx, slot)
        settings = before["settings"]
        experiment = _running(settings)
        if experiment is None:
            raise NotFound("no experiment runs in this slot", code="no_experiment")
        after = {**settings, "experiment": None}
        if apply is not None:
            after |= _overrides(experiment, apply)
        _put(tx, slot, settings, after, "experiment.apply" if apply else "experiment.stop", apply)
        ended = _told(_get(tx, experiment["id"]))
    shelf.expect_change()
    return ended


def experiments(slot: str) -> list[dict[str, Any]]:
    """The experiments of a slot, the newest first."""
    with transaction(read_only=True) as tx:
        return [_told(one) for one in store.of_slot(tx, slot, _MOST)]


def result(slot: str, experiment_id: str | None, goal: str) -> dict[str, Any]:
    """What came of an experiment (the one that runs, else the newest) until now or its end. Raises NotFound."""
    with transaction(read_only=True, timeout_ms=30_000) as tx:
        found = store.of_slot(tx, slot, 1) if experiment_id is None else [store.find(tx, experiment_id)]
        experiment = found[0] if found else None
        if experiment is None or experiment.slot != slot:
            raise NotFound("this slot has no such experiment", code="no_experiment")
        settings = shop.read_shop(tx)
        until = experiment.ended_at or datetime.now(UTC)
        span = store.Span(until, BEFORE)
        rows = {row["variant"]: row for row in store.arms(tx, experiment.experiment_id, span, settings.currency)}
    arms = [
        Arm(share=one["share"], **(rows.get(one["name"]) or {"variant": one["name"]})) for one in experiment.variants
    ]
    return {**_told(experiment), **outcome(arms, goal, experiment.started_at, until, settings.currency)}


def follow(
    tx: Transaction, slot: str, before: Mapping[str, Any], after: Mapping[str, Any], applied: str | None = None
) -> None:
    """Enter what a change of a slot's settings means for its experiments, whichever way it was made."""
    ran, runs = _running(before), _running(after)
    if ran is not None and (runs is None or runs["id"] != ran["id"]):
        store.end(tx, ran["id"], datetime.now(UTC), applied)
    if runs is not None and runs != ran:
        store.begin(tx, runs["id"], slot, runs["variants"], datetime.fromisoformat(runs["started_at"]))


def _slot(tx: Transaction, name: str) -> Row:
    found = slots.find(tx, name, lock=True)
    if found is None:
        raise NotFound(f"there is no slot {name!r}")
    return found


def _get(tx: Transaction, experiment_id: str) -> store.Experiment:
    found = store.find(tx, experiment_id)
    if found is None:
        raise NotFound(f"there is no experiment {experiment_id!r}")
    return found


def _running(settings: Mapping[str, Any]) -> dict[str, Any] | None:
    experiment: dict[str, Any] | None = settings.get("experiment")
    return experiment if experiment and experiment.get("started_at") else None


def _overrides(experiment: Mapping[str, Any], name: str) -> dict[str, Any]:
    for one in experiment["variants"]:
        if one["name"] == name:
            chosen = {"strategy": one["strategy"]} if one.get("strategy") else {}
            return {**one.get("overrides", {}), **chosen}
    raise NotFound(f"the experiment has no variant {name!r}")


def _put(
    tx: Transaction,
    slot: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    action: str,
    applied: str | None = None,
) -> None:
    slot_of(slot, after)
    slots.put(tx, slot, after)
    follow(tx, slot, before, after, applied)
    audit.record(tx, action, ("slot", slot), *audit.difference(before, after))


def _told(experiment: store.Experiment) -> dict[str, Any]:
    return {
        "id": experiment.experiment_id,
        "slot": experiment.slot,
        "started_at": experiment.started_at,
        "ended_at": experiment.ended_at,
        "applied": experiment.applied,
        "settings": experiment.variants,
    }
