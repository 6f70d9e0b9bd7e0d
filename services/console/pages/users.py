"""People who may enter, and their roles."""

from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext

from services.console.actions import resets, two_step
from services.console.actions import users as actions
from services.console.domain.permissions import ROLES
from services.console.pages.errors import page_blueprint
from services.console.pages.labels import ROLE_HINTS
from services.console.pages.labels import ROLES as ROLE_NAMES
from services.console.pages.session import page, person
from shared.problems import Conflict, Invalid

blp = page_blueprint("users", __name__)


@blp.get("/people")
@page("users:write")
def index() -> Response:
    """Everybody, and the form to add somebody."""
    return _index()


@blp.post("/people")
@page("users:write")
def create() -> Response:
    """Let somebody in with a made-up password, which is shown this once."""
    email, role = request.form.get("email", "")[:320], request.form.get("role", "")
    try:
        made = actions.create_user(email, None, role, person().actor)
    except Conflict:
        return _index({"email": gettext("Somebody with this e-mail address is already here.")}, status=409)
    except Invalid:
        return _index({"email": gettext("This is not a usable e-mail address.")}, status=422)
    return _index(made=made)


@blp.post("/people/<uuid:user_id>/role")
@page("users:write")
def change_role(user_id: UUID) -> Response:
    """Give somebody another role."""
    try:
        actions.change_role(user_id, request.form.get("role", ""), person().actor)
        flash(gettext("The role is changed."), "done")
    except Conflict:
        flash(gettext("The last admin must stay an admin. Make somebody else one first."), "error")
    return _back()


@blp.post("/people/<uuid:user_id>/disabled")
@page("users:write")
def disable(user_id: UUID) -> Response:
    """Shut somebody out at once, or let them in again."""
    disabled = request.form.get("disabled") == "yes"
    try:
        actions.set_disabled(user_id, disabled, person().actor)
        flash(
            gettext("This person can no longer log in.") if disabled else gettext("This person may log in again."),
            "done",
        )
    except Conflict:
        flash(gettext("The last admin must stay. Make somebody else an admin first."), "error")
    return _back()


@blp.post("/people/<uuid:user_id>/reset-link")
@page("users:write")
def reset_link(user_id: UUID) -> Response:
    """Make a link with which somebody can choose a new password; it is shown this once."""
    try:
        return _index(link=resets.link_for(user_id, person().actor))
    except Conflict:
        flash(gettext("This user is disabled. Enable them first."), "error")
        return _back()


@blp.post("/people/<uuid:user_id>/two-step")
@page("users:write")
def reset_two_step(user_id: UUID) -> Response:
    """Take the second step off somebody who lost it; they are told on the next log-in."""
    two_step.reset(user_id, person().actor)
    flash(gettext("Two-step log-in of this person is reset."), "done")
    return _back()


@blp.post("/people/two-step-roles")
@page("users:write")
def require_two_step() -> Response:
    """Say which roles must log in with two steps."""
    two_step.require_of(request.form.getlist("role"), person().actor)
    flash(gettext("The log-in rules are saved."), "done")
    return _back()


def _back() -> Response:
    return redirect(url_for("users.index"))  # type: ignore[return-value]


def _index(
    errors: dict[str, str] | None = None,
    made: actions.CreatedUser | None = None,
    link: resets.Link | None = None,
    status: int = 200,
) -> Response:
    html = render_template(
        "people.html",
        people=actions.list_users(),
        roles=[(role, ROLE_NAMES[role], ROLE_HINTS[role]) for role in ROLES],
        role_names=ROLE_NAMES,
        errors=errors or {},
        made=made,
        link=link,
        required=two_step.required_roles(),
        form=request.form,
    )
    return make_response(html, status)
