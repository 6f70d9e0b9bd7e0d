"""API keys."""

from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext

from services.console.actions import keys as actions
from services.console.domain.permissions import key_kinds
from services.console.pages.errors import page_blueprint
from services.console.pages.labels import KEY_KINDS
from services.console.pages.session import page, person
from shared.problems import Forbidden, Invalid

blp = page_blueprint("keys", __name__)


@blp.get("/keys")
@page("keys:write")
def index() -> Response:
    """All keys, and the form to make one."""
    return _index()


@blp.post("/keys")
@page("keys:write")
def create() -> Response:
    """Make a key and show it this once."""
    kind = request.form.get("kind", "")
    if kind in KEY_KINDS and kind not in key_kinds(person().role):
        raise Forbidden(gettext("Your role does not allow this."), code="role")
    try:
        made = actions.create_key(request.form.get("name", "")[:100], kind, person().actor)
    except Invalid:
        return _index(error=gettext("Give the key a name, and choose what it is for."), status=422)
    return _index(made=made)


@blp.post("/keys/<uuid:key_id>/revoke")
@page("keys:write")
def revoke(key_id: UUID) -> Response:
    """End a key for good."""
    actions.revoke_key(key_id, person().actor)
    flash(gettext("The key is revoked. All services refuse it within seconds."), "done")
    return redirect(url_for("keys.index"))  # type: ignore[return-value]


def _index(made: actions.CreatedKey | None = None, error: str = "", status: int = 200) -> Response:
    kinds = {kind: KEY_KINDS[kind] for kind in key_kinds(person().role)}
    html = render_template("keys.html", keys=actions.list_keys(), kinds=kinds, made=made, error=error)
    return make_response(html, status)
