"""Segments: the list, one of them, the rule builder with its live count."""

import json
from typing import Any
from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext

from services.console.actions.siblings import Ask, Change, ask, ask_all, carry_out, get
from services.console.pages import finding, rule_words
from services.console.pages.errors import page_blueprint
from services.console.pages.session import page, person
from shared.problems import BadRequest, Conflict, Invalid, PreconditionFailed, Problem

blp = page_blueprint("segments", __name__)

_ROWS = 50
_SAMPLE = 6
_START = {"all": [{"feature": "orders", "op": ">=", "value": 1}]}


@blp.get("/segments")
@page("segments:read")
def index() -> str:
    """All segments."""
    found = ask(person(), Ask("segmentation", "/v1/segments", _page()))
    return render_template("segments/index.html", found=found)


@blp.get("/segments/new")
@page("segments:write")
def new() -> Response:
    """The builder with an empty rule."""
    return _editor({"name": "", "description": "", "rule": _START})


@blp.post("/segments")
@page("segments:write")
def create() -> Response:
    """Keep a new segment."""
    typed = _typed()
    try:
        change = Change("segmentation", "POST", "/v1/segments", json=_body(typed))
        made = carry_out(person(), change)
    except (Invalid, Conflict, BadRequest) as problem:
        return _editor(typed, problem=problem)
    flash(gettext("The segment is saved. Its members are being determined."), "done")
    return redirect(url_for("segments.show", segment_id=made["segment_id"]))  # type: ignore[return-value]


@blp.get("/segments/<uuid:segment_id>")
@page("segments:read")
def show(segment_id: UUID) -> str:
    """One segment: its rule in words, its size, its members."""
    found = get(person(), Ask("segmentation", f"/v1/segments/{segment_id}"))
    answers = ask_all(person(), {"members": Ask("segmentation", f"/v1/segments/{segment_id}/customers", _page())})
    names = finding.names(person(), answers["members"].items)
    return render_template("segments/show.html", segment=found, names=names, **answers)


@blp.get("/segments/<uuid:segment_id>/edit")
@page("segments:write")
def edit(segment_id: UUID) -> Response:
    """The builder with the segment's rule."""
    return _editor(get(person(), Ask("segmentation", f"/v1/segments/{segment_id}")), segment_id)


@blp.post("/segments/<uuid:segment_id>")
@page("segments:write")
def update(segment_id: UUID) -> Response:
    """Change a segment, unless somebody else did meanwhile."""
    typed = _typed()
    before = get(person(), Ask("segmentation", f"/v1/segments/{segment_id}"))
    try:
        carry_out(
            person(),
            Change(
                "segmentation",
                "PUT",
                f"/v1/segments/{segment_id}",
                json=_body(typed),
                version=f'"{request.form.get("version", "")}"',
            ),
        )
    except PreconditionFailed:
        flash(gettext("Somebody else changed this segment meanwhile. Look at theirs, then repeat yours."), "error")
        return redirect(url_for("segments.edit", segment_id=segment_id))  # type: ignore[return-value]
    except (Invalid, Conflict, BadRequest) as problem:
        return _editor({**before, **typed}, segment_id, problem)
    flash(gettext("The segment is saved. Its members are being determined anew."), "done")
    return redirect(url_for("segments.show", segment_id=segment_id))  # type: ignore[return-value]


@blp.post("/segments/<uuid:segment_id>/delete")
@page("segments:write")
def delete(segment_id: UUID) -> Response:
    """Put a segment away."""
    carry_out(person(), Change("segmentation", "DELETE", f"/v1/segments/{segment_id}"))
    flash(gettext("The segment is deleted."), "done")
    return redirect(url_for("segments.index"))  # type: ignore[return-value]


@blp.post("/segments/preview")
@page("segments:read")
def preview() -> str:
    """How many a rule would find, and what it says in words: a part of the builder."""
    try:
        rule = json.loads(request.form.get("rule", ""))
    except ValueError:
        return render_template("segments/preview.html", found=None, problem=None)
    found = ask(person(), Ask("segmentation", "/v1/segments/preview", json={"rule": rule}, timeout=10))
    names = finding.names(person(), found.value["sample"][:_SAMPLE]) if found.ok else {}
    return render_template("segments/preview.html", found=found, problem=found.problem, names=names)


def _typed() -> dict[str, Any]:
    return {
        "name": request.form.get("name", "").strip(),
        "description": request.form.get("description", "").strip(),
        "rule": request.form.get("rule", ""),
    }


def _body(typed: dict[str, Any]) -> dict[str, Any]:
    try:
        return {**typed, "rule": json.loads(typed["rule"])}
    except ValueError as error:
        raise Invalid(gettext("The rule is not JSON."), errors=[{"path": "rule", "message": str(error)}]) from error


def _editor(segment: dict[str, Any], segment_id: UUID | None = None, problem: Problem | None = None) -> Response:
    answers = ask_all(
        person(),
        {
            "vocabulary": Ask("segmentation", "/v1/segments/vocabulary"),
            "others": Ask("segmentation", "/v1/segments", {"limit": 200}),
        },
    )
    rule = segment["rule"]
    html = render_template(
        "segments/edit.html",
        segment=segment,
        segment_id=segment_id,
        rule=rule if isinstance(rule, str) else json.dumps(rule, ensure_ascii=False, indent=2),
        builder=rule_words.for_builder(answers["vocabulary"], answers["others"], segment_id),
        problem=problem,
        **answers,
    )
    return make_response(html, problem.status if problem else 200)


def _page() -> dict[str, Any]:
    cursor = request.args.get("cursor")
    return {"limit": _ROWS, **({"cursor": cursor} if cursor else {})}
