"""Two-step log-in of one's own: set it up, turn it off, get new recovery codes."""

from uuid import UUID

import segno
from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from markupsafe import Markup

from services.console.actions import two_step as actions
from services.console.pages.errors import page_blueprint
from services.console.pages.session import page, person
from shared.audit import Actor
from shared.problems import Conflict, Invalid, TooMany

blp = page_blueprint(
    "two_step",
    __name__,
)


@blp.get("/account/two-step")
@page(before_set_up=True)
def show() -> Response:
    """How far it is: off, waiting for a first code, or on."""
    return _show()


@blp.post("/account/two-step/begin")
@page(before_set_up=True)
def begin() -> Response:
    """Make a secret to scan."""
    actions.begin(person().user_id)
    return _back()


@blp.post("/account/two-step/confirm")
@page(before_set_up=True)
def confirm() -> Response:
    """Turn it on with a first code; the recovery codes are shown this once."""
    who, code = person(), request.form.get("code", "")[:40]
    try:
        codes = actions.confirm(who.user_id, code, who.session_id, request.remote_addr or "", who.actor)
    except Conflict:
        return _back()
    except (Invalid, TooMany) as problem:
        return _show({"code": _why(problem)})
    return _show(codes=codes)


@blp.post("/account/two-step/off")
@page()
def turn_off() -> Response:
    """Log in by password alone again."""
    try:
        actions.turn_off(*_proof())
    except (Invalid, TooMany) as problem:
        return _show({_field(problem, "off"): _why(problem)})
    flash(gettext("Two-step log-in is off."), "done")
    return redirect(url_for("account.show"))  # type: ignore[return-value]


@blp.post("/account/two-step/codes")
@page()
def renew_codes() -> Response:
    """New recovery codes instead of the old ones, shown this once."""
    try:
        codes = actions.renew_codes(*_proof())
    except (Invalid, TooMany) as problem:
        return _show({_field(problem, "codes"): _why(problem)})
    return _show(codes=codes)


def qr(uri: str) -> Markup:
    """An address as a picture in the page itself: no other request knows it, and no style stands in it."""
    # Made of numbers and letters by the library alone.
    return Markup(segno.make(uri, error="m").svg_inline(scale=5, border=3, dark="#000", light="#fff"))  # noqa: S704


def _proof() -> tuple[UUID, str, str, str, Actor]:
    form = request.form
    return (
        person().user_id,
        form.get("password", "")[:1000],
        form.get("code", "")[:40],
        request.remote_addr or "",
        person().actor,
    )


def _field(problem: Invalid | TooMany, form: str) -> str:
    return f"{form}_password" if problem.code == "password_wrong" else f"{form}_code"


def _why(problem: Invalid | TooMany) -> str:
    if isinstance(problem, TooMany):
        return gettext("Too many attempts. Wait a quarter of an hour, then try again.")
    if problem.code == "password_wrong":
        return gettext("The password is not right.")
    return gettext("This code is not right, or was used already.")


def _show(errors: dict[str, str] | None = None, codes: list[str] | None = None) -> Response:
    state = actions.state(person().user_id)
    html = render_template(
        "two_step.html",
        state=state,
        picture=qr(state.uri) if state.uri else None,
        errors=errors or {},
        codes=codes,
        forced=person().must_set_up and not codes,
    )
    return make_response(html, 422 if errors else 200)


def _back() -> Response:
    return redirect(url_for("two_step.show"))  # type: ignore[return-value]
