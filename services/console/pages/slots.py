"""Slots: the places of the shop, how each is filled, and what a change would show to whom."""

from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext

from services.console.actions.siblings import Ask, Change, ask, carry_out, get
from services.console.pages import finding, slot_forms
from services.console.pages.errors import page_blueprint
from services.console.pages.items import ASKED, SHORTFALLS, STRATEGIES, in_words, shown
from services.console.pages.session import page, person
from shared.problems import BadRequest, Conflict, Invalid, PreconditionFailed, Problem

blp = page_blueprint("slots", __name__)

_NEITHER = '"none"'  # the version of a slot that is not there


@blp.get("/slots")
@page("slots:read")
def index() -> str:
    """All slots."""
    return render_template("slots/index.html", found=ask(person(), Ask("recommend", "/v1/slots")), words=STRATEGIES)


@blp.get("/slots/new")
@page("slots:write")
def new() -> Response:
    """The form of a slot that is not there yet."""
    return _editor(dict(slot_forms.NEW))


@blp.post("/slots")
@page("slots:write")
def create() -> Response:
    """Keep a new slot, unless there is one of this name."""
    name, wanted = request.form.get("name", "").strip(), slot_forms.settings(request.form)
    try:
        _put(name or "-", wanted, _NEITHER)
    except PreconditionFailed:
        return _editor({**wanted, "name": name}, problem=Conflict(gettext("A slot of this name is already there.")))
    except (Invalid, BadRequest, Conflict) as problem:
        return _editor({**wanted, "name": name}, problem=problem)
    flash(gettext("The slot is saved. It holds within a second."), "done")
    return redirect(url_for("slots.edit", name=name))  # type: ignore[return-value]


@blp.get("/slots/<name>")
@page("slots:read")
def edit(name: str) -> Response:
    """The form of a slot, with what it shows beside it."""
    return _editor(_slot(name), kept=True)


@blp.post("/slots/<name>")
@page("slots:write")
def update(name: str) -> Response:
    """Change a slot, unless somebody else did meanwhile."""
    before = _slot(name)
    wanted = slot_forms.settings(request.form, before["experiment"])
    version = request.form.get("version", "")
    try:
        _put(name, wanted, f'"{version}"')
    except PreconditionFailed:
        flash(gettext("Somebody else changed this slot meanwhile. Look at theirs, then repeat yours."), "error")
        return redirect(url_for("slots.edit", name=name))  # type: ignore[return-value]
    except (Invalid, BadRequest, Conflict) as problem:
        return _editor({**wanted, "name": name, "version": version}, kept=True, problem=problem)
    flash(gettext("The slot is saved. It holds within a second."), "done")
    return redirect(url_for("slots.edit", name=name))  # type: ignore[return-value]


@blp.post("/slots/<name>/delete")
@page("slots:write")
def delete(name: str) -> Response:
    """Take a slot out of use."""
    carry_out(person(), Change("recommend", "DELETE", f"/v1/slots/{name}"))
    flash(gettext("The slot is deleted."), "done")
    return redirect(url_for("slots.index"))  # type: ignore[return-value]


@blp.post("/slots/preview")
@page("slots:read")
def preview() -> str:
    """What the settings in the form would show: a part of the form."""
    who = request.form.get("try_customer", "").strip()
    customer = finding.one(person(), who) if who else None
    asked = slot_forms.request_of(request.form, str(customer) if customer else None)
    kept = request.form.get("as_kept")  # of those who may look and not change: their fields are not sent
    if kept:
        question = Ask("recommend", "/v1/recommendations", json={**asked, "slot": kept})
    else:
        wanted = {"slot": slot_forms.settings(request.form), "request": asked}
        question = Ask("recommend", "/v1/slots/preview", json=wanted, timeout=10)
    found = ask(person(), question)
    return render_template(
        "slots/preview.html",
        found=found,
        nobody=bool(who) and customer is None,
        items=shown(found.value["items"]) if found.ok else [],
        strategies=in_words(found.value["strategies"]) if found.ok else "",
        shortfalls=SHORTFALLS,
    )


def _slot(name: str) -> Any:
    return get(person(), Ask("recommend", f"/v1/slots/{name}"))


def _put(name: str, wanted: dict[str, Any], version: str) -> None:
    carry_out(person(), Change("recommend", "PUT", f"/v1/slots/{name}", json=wanted, version=version))


def _editor(slot: dict[str, Any], *, kept: bool = False, problem: Problem | None = None) -> Response:
    """The form, with what is wrong where something is."""
    html = render_template(
        "slots/edit.html",
        slot=slot,
        kept=kept,
        writable=person().may("slots:write"),
        problem=problem,
        wrong={error["path"]: error["message"] for error in problem.errors} if problem else {},
        asked=[(one, STRATEGIES[one]) for one in ASKED],
        most_fallbacks=slot_forms.MOST_FALLBACKS,
        empty_rows=slot_forms.EMPTY_ROWS,
    )
    return make_response(html, problem.status if problem else 200)
