"""The system page: processes, queues, readers, jobs, the database, dead letters, the sending switch."""

from datetime import UTC, datetime
from typing import Any, Final

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext

from services.console.actions import system as actions
from services.console.actions.siblings import Answer, Ask, ask, ask_all
from services.console.pages.errors import page_blueprint
from services.console.pages.session import page, person
from services.console.schemas.system import KINDS
from shared.problems import BadRequest, Problem

blp = page_blueprint("system", __name__)

_SHOWN: Final = 50
_FIGURES: Final = {
    "zhike_log_position": "position",
    "zhike_intake_rows": "intake",
    "zhike_intake_oldest_seconds": "intake_seconds",
    "zhike_sends_waiting": "sends",
    "zhike_sends_late_seconds": "late_seconds",
    "zhike_model_age_seconds": "model_age",
    "zhike_database_connections_limit": "connections_limit",
}


@blp.get("/system")
@page("system:read")
def show() -> str:
    """The whole page; its upper part is refreshed every few seconds."""
    return render_template("system/index.html", **_present(), **_dead_letters())


@blp.get("/system/now")
@page("system:read")
def now() -> str:
    """The part that changes by itself."""
    return render_template("system/now.html", **_present())


@blp.post("/system/replay")
@page("events:replay")
def replay() -> Response:
    """Try dead letters of a kind again: the chosen ones, or all."""
    kind, ids = request.form.get("kind", ""), request.form.getlist("id")
    if kind not in KINDS:
        raise BadRequest(gettext("Choose what to try again."))
    if not ids and "all" not in request.form:
        flash(gettext("Choose what to try again."), "error")
        return redirect(url_for("system.show") + "#dead")  # type: ignore[return-value]
    try:
        chosen = None if "all" in request.form else ids[:500]
        asked_by = {"user": str(person().user_id), "scopes": person().scopes}
        done = actions.replay(kind, chosen, asked_by, person().actor)
        flash(ngettext("%(num)d is tried again.", "%(num)d are tried again.", done["again"]), "done")
        if done["refused"]:
            text = ngettext("%(num)d was refused again.", "%(num)d were refused again.", done["refused"])
            flash(text, "error")
    except Problem as problem:
        flash(gettext("It could not be tried again: %(why)s", why=problem.detail), "error")
    return redirect(url_for("system.show") + "#dead")  # type: ignore[return-value]


def _present() -> dict[str, Any]:
    """What every service and every process says of itself now."""
    answers = ask_all(person(), {name: Ask(name, "/statusz") for name in actions.SIBLINGS})
    own = actions.own()
    told = [answer.value for answer in answers.values() if answer.ok] + ([own] if own else [])
    found = actions.processes()
    return {
        "silent": [name for name, answer in answers.items() if not answer.ok],
        "processes": found,
        "quiet": [one for one in found or [] if not one["alive"]],
        "queues": sorted((one for status in told for one in status["queues"] or []), key=lambda one: one["queue"]),
        "readers": [one for status in told for one in status["readers"]],
        "jobs": _jobs([one for status in told for one in status["jobs"]]),
        "schemas": _labelled(own, "zhike_database_bytes", "schema"),
        "connections": _labelled(own, "zhike_database_connections", "login"),
        "figures": _figures(told),
        "checked_at": datetime.now(UTC),
    }


def _figures(told: list[dict[str, Any]]) -> dict[str, float]:
    found = {one["name"]: one["value"] for status in told for one in status["figures"]}
    letters = {one["kind"]: one["waiting"] for status in told for one in status["dead_letters"]}
    known = {short: found[name] for name, short in _FIGURES.items() if name in found}
    return known | {"rejected": letters.get("rejected_event", 0)}


def _labelled(status: dict[str, Any] | None, name: str, label: str) -> dict[str, float]:
    figures = status["figures"] if status else []
    return {one["labels"][label]: one["value"] for one in figures if one["name"] == name}


def _jobs(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those under way first, then the last of each kind that ended; `share`: how far, where that is known."""
    open_ones = [one for one in jobs if one["state"] not in ("done", "failed")]
    ended: dict[tuple[str, str], dict[str, Any]] = {}
    for one in jobs:
        if one["state"] in ("done", "failed"):
            ended.setdefault((one["kind"], one["state"]), one)
    return [{**one, "share": _share(one)} for one in (*open_ones, *ended.values())]


def _share(job: dict[str, Any]) -> float | None:
    if job["total"] and job["done"] is not None:
        return min(1.0, float(job["done"]) / float(job["total"]))
    return None


def _dead_letters() -> dict[str, Any]:
    """What nobody tries again by himself, the newest of each kind."""
    answers: dict[str, Answer] = {
        "rejected": ask(person(), Ask("profile", "/v1/rejected-events", {"limit": _SHOWN})),
        "failed": ask(person(), Ask("campaign", "/v1/messages/failed", {"limit": _SHOWN})),
    }
    return {**answers, "tasks": actions.failed_tasks()}
