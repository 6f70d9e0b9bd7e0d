"""Templates of messages, with a live look at them as a customer would get them."""

from typing import Any
from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext

from services.console.actions import previews
from services.console.actions.siblings import Ask, Change, ask, carry_out, get
from services.console.pages import finding
from services.console.pages.errors import page_blueprint
from services.console.pages.language import chosen
from services.console.pages.session import page, person
from services.console.pages.starters import STARTERS
from shared.problems import BadRequest, Conflict, Invalid, PreconditionFailed, Problem

blp = page_blueprint("templates", __name__)

_ROWS = 50
# The message brings its own styles and nothing else: no scripts, no pictures from elsewhere, no way out of the frame.
_FRAME_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; sandbox"


@blp.get("/templates")
@page("campaigns:read")
def index() -> str:
    """All templates."""
    cursor = request.args.get("cursor")
    found = ask(person(), Ask("campaign", "/v1/templates", {"limit": _ROWS, **({"cursor": cursor} if cursor else {})}))
    return render_template("templates/index.html", found=found)


@blp.get("/templates/new")
@page("campaigns:write")
def new() -> Response:
    """The editor with a start to change."""
    return editor({"name": "", **STARTERS[chosen()]})


@blp.post("/templates")
@page("campaigns:write")
def create() -> Response:
    """Keep a new template."""
    fields = typed()
    try:
        made = carry_out(person(), Change("campaign", "POST", "/v1/templates", json=fields))
    except (Invalid, BadRequest, Conflict) as problem:
        return editor(fields, problem=problem)
    flash(gettext("The template is saved."), "done")
    return redirect(url_for("templates.edit", template_id=made["template_id"]))  # type: ignore[return-value]


@blp.get("/templates/<uuid:template_id>")
@page("campaigns:read")
def edit(template_id: UUID) -> Response:
    """The editor with a template."""
    return editor(get(person(), Ask("campaign", f"/v1/templates/{template_id}")), template_id)


@blp.post("/templates/<uuid:template_id>")
@page("campaigns:write")
def update(template_id: UUID) -> Response:
    """Keep a new version, unless somebody else did meanwhile."""
    fields = typed()
    try:
        save(template_id, fields, request.form.get("version", ""))
    except PreconditionFailed:
        flash(gettext("Somebody else changed this template meanwhile. Look at theirs, then repeat yours."), "error")
        return _to(template_id)
    except (Invalid, BadRequest, Conflict) as problem:
        return editor({**fields, "version": request.form.get("version", "")}, template_id, problem)
    flash(gettext("The template is saved. What has been sent stays as it was."), "done")
    return _to(template_id)


@blp.post("/templates/<uuid:template_id>/delete")
@page("campaigns:write")
def delete(template_id: UUID) -> Response:
    """Put a template away, unless a campaign still needs it."""
    path = f"/v1/templates/{template_id}"
    try:
        carry_out(person(), Change("campaign", "DELETE", path))
    except Conflict:
        flash(gettext("A campaign still needs this template."), "error")
        return _to(template_id)
    flash(gettext("The template is archived."), "done")
    return redirect(url_for("templates.index"))  # type: ignore[return-value]


@blp.post("/templates/preview")
@page("campaigns:read")
def preview() -> str:
    """The message as somebody would get it now: a part of the editor."""
    wanted: dict[str, Any] = {key: request.form.get(key, "") for key in ("subject", "html")}
    wanted |= {"text": request.form.get("text") or None, "recommend_n": request.form.get("recommend_n", 4, type=int)}
    wanted["recommend_slot"] = request.form.get("recommend_slot") or None
    who = request.form.get("customer", "").strip()
    customer = finding.one(person(), who) if who else None
    if customer:
        wanted["customer_id"] = str(customer)
    found = ask(person(), Ask("campaign", "/v1/templates/preview", json=wanted, timeout=10))
    return shown(found, nobody=bool(who) and customer is None)


@blp.get("/previews/<token>")
@page("campaigns:read")
def frame(token: str) -> Response:
    """The rendered message, for the frame."""
    response = make_response(previews.find(person(), token) or "", 200)
    response.headers["Content-Security-Policy"] = _FRAME_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def shown(found: Any, nobody: bool = False) -> str:
    """A rendered message (or why there is none) as a part of a page."""
    token = previews.keep(person(), found.value["html"]) if found.ok and found.value["html"] else None
    return render_template("templates/preview.html", found=found, token=token, nobody=nobody)


def typed() -> dict[str, Any]:
    """The fields of the editor."""
    form = request.form
    return {
        "name": form.get("name", "").strip(),
        "subject": form.get("subject", "").strip(),
        "html": form.get("html", ""),
        "text": form.get("text") or None,
    }


def save(template_id: UUID, fields: dict[str, Any], version: str) -> Any:
    """Keep a new version of a template. Raises the problem of the campaign service."""
    path = f"/v1/templates/{template_id}"
    return carry_out(person(), Change("campaign", "PUT", path, json=fields, version=f'"{version}"'))


def editor(template: dict[str, Any], template_id: UUID | None = None, problem: Problem | None = None) -> Response:
    """The editor, with what is wrong where something is."""
    slots = ask(person(), Ask("recommend", "/v1/slots")).items
    html = render_template(
        "templates/edit.html", template=template, template_id=template_id, problem=problem, slots=slots
    )
    return make_response(html, problem.status if problem else 200)


def _to(template_id: UUID) -> Response:
    return redirect(url_for("templates.edit", template_id=template_id))  # type: ignore[return-value]
