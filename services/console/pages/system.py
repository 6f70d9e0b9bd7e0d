"""The system page: processes, queues, readers, jobs, the database, dead letters, the sending switch."""

from datetime import UTC, datetime
from typing import Any, Final

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext

from services.console.actions import system as actions
from services.console.actions.siblings import Answer, Ask, ask, ask_all
from services.console.pages.errors import page_blueprint
from services.console.pages.rejections import in_words
from services.console.pages.session import is_fragment, page, person
from services.console.schemas.system import KINDS
from shared.problems import BadRequest, Problem

blp = page_blueprint("system", __name__)

_SHOWN: Final = 50
_CHOSEN: Final = 500
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
def replay() -> Response | str:
    """Try dead letters of a kind again: the chosen ones, or all. Many go in several requests, which the page makes."""
    kind, ids = request.form.get("kind", ""), request.form.getlist("id")[:_CHOSEN]
    if kind not in KINDS:
        raise BadRequest(gettext("Choose what to try again."))
    if not ids and "all" not in request.form:
        flash(gettext("Choose what to try again."), "error")
        return _back()
    cursor, told = request.form.get("cursor", ""), {name: _count(name) for name in ("again", "refused", "remaining")}
    problem = ""
    try:
        asked_by = {"user": str(person().user_id), "scopes": person().scopes}
        chosen = None if "all" in request.form else ids
        done = actions.replay(kind, chosen, asked_by, person().actor, cursor or None)
        told = {name: told[name] + done[name] for name in ("again", "refused")} | {"remaining": done["remaining"]}
        cursor = done["next_cursor"] or ""
    except Problem as error:
        problem = gettext("It could not be tried again: %(why)s", why=error.detail)
    if cursor:
        step = {"kind": kind, "ids": ids, "everything": "all" in request.form, "cursor": cursor, "problem": problem}
        template = "system/replaying_now.html" if is_fragment() else "system/replaying.html"
        return render_template(template, **step, **told, home=_home(), back=request.form.get("back", ""))
    _tell(told, problem)
    return _back()


def _count(name: str) -> int:
    """A figure that the form carries on from request to request; it is only shown."""
    text = request.form.get(name, "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _tell(told: dict[str, int], problem: str) -> None:
    if problem:
        flash(problem, "error")
        return
    if told["again"] or not told["refused"]:
        flash(ngettext("%(num)d is tried again.", "%(num)d are tried again.", told["again"]), "done")
    if told["refused"]:
        flash(ngettext("%(num)d was refused again.", "%(num)d were refused again.", told["refused"]), "error")


def _home() -> str:
    """The page that asked: the list of rejected events, else the system page."""
    return url_for("rejected.index") if request.form.get("back") == "rejected" else url_for("system.show") + "#dead"


def _back() -> Response:
    if is_fragment():
        return Response("", 200, {"HX-Redirect": _home()})
    return redirect(_home())  # type: ignore[return-value]


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
    return {**answers, "tasks": actions.failed_tasks(), "in_words": in_words}
