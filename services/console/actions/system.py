"""How the whole platform stands, asked of everybody who knows; and another try for what nobody tries by himself."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import redis

from shared import audit, contracts, failures, heartbeat, queue
from shared.client import sibling
from shared.database import transaction
from shared.problems import Problem, Unavailable
from shared.standing import report

SIBLINGS: Final = ("profile", "segmentation", "recommend", "campaign")
ASKED_S: Final = 4.0
REPLAY_S: Final = 30.0  # a sibling ends its part after two seconds; a storm may make it late
# What is tried again where, and what its ids are called there; failed tasks are tried here.
_ROUTES: Final = {
    "rejected_event": ("profile", "/v1/rejected-events/replay", "rejected_ids"),
    "failed_send": ("campaign", "/v1/messages/retry", "send_ids"),
}


def processes() -> list[dict[str, Any]] | None:
    """Every process that has shown itself lately; None where Valkey, which keeps that, is away."""
    try:
        return heartbeat.said(queue.valkey())
    except redis.RedisError:
        return None


def failed_tasks() -> list[failures.Failure] | None:
    """The last tasks that failed, newest first; None without Valkey."""
    try:
        return failures.newest(queue.valkey())
    except redis.RedisError:
        return None


def own() -> dict[str, Any] | None:
    """How the console itself stands; None where its database is away."""
    try:
        return report()
    except Unavailable:
        return None


def whole() -> dict[str, Any]:
    """All of it, for the API."""
    services: dict[str, Any] = {"console": own()}
    for name in SIBLINGS:
        try:
            services[name] = sibling(name).get("/statusz", timeout=ASKED_S, scopes=("system:read",))
        except Problem:
            services[name] = None
    tasks = failed_tasks()
    return {
        "processes": processes(),
        "services": services,
        "failed_tasks": None if tasks is None else [vars(one) for one in tasks],
    }


def replay(
    kind: str,
    ids: Sequence[str] | None,
    asked_by: Mapping[str, Any],
    actor: audit.Actor | None = None,
    cursor: str | None = None,
) -> dict[str, Any]:
    """Try dead letters of a kind again: these (None: all). `asked_by`: how siblings are asked (user, scopes).

    Returns how many go again, how many were refused, how many it did not reach (siblings try so many at once and no
    more) and the cursor to go on there. The service that does it writes it into its audit log. Raises the sibling's
    problem, Unavailable where Valkey is away.
    """
    if kind == "failed_task":
        return _replay_tasks(ids, actor)
    service, path, name = _ROUTES[kind]
    wanted: dict[str, Any] = {"all": True} if ids is None else {name: list(ids)}
    if cursor:
        wanted["cursor"] = cursor
    done = sibling(service).post(path, json=wanted, timeout=REPLAY_S, **asked_by)
    again = done["replayed"] if kind == "rejected_event" else done["retried"]
    going_on = {name: done[name] for name in ("remaining", "next_cursor")}
    return {"again": again, "refused": len(done.get("refused", ())), **going_on}


def _replay_tasks(ids: Sequence[str] | None, actor: audit.Actor | None) -> dict[str, Any]:
    """Nudge failed tasks again and strike them from the list; a task the platform no longer knows is only struck."""
    try:
        chosen = [one for one in failures.newest(queue.valkey()) if ids is None or one.failure_id in set(ids)]
        again = refused = 0
        for one in chosen:
            if not failures.forget(queue.valkey(), one):
                continue
            if one.task not in contracts.TASKS:
                refused += 1
                continue
            queue.nudge(one.task, **one.ids)
            again += 1
    except redis.RedisError as error:
        raise Unavailable("the queue does not answer", retry_after=2) from error
    if chosen:
        about = ("task", chosen[0].task if len(chosen) == 1 else "many")
        with transaction() as tx:
            audit.record(tx, "task.replay", about, None, {"tasks": again}, actor)
    return {"again": again, "refused": refused, "remaining": 0, "next_cursor": None}
