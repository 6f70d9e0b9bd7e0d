"""Log in, in one step or two; log out."""

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext

from services.console.actions import sessions
from services.console.actions.sessions import SecondStep, Session
from services.console.actions.two_step import RESET_NOTICE
from services.console.pages.errors import page_blueprint
from services.console.pages.session import check_form, cookie_name, own_path, page, person, set_cookie, visit, visitor
from shared.auth import public
from shared.problems import TooMany, Unauthorized

blp = page_blueprint("login", __name__)


@blp.get("/login")
@public
def form() -> Response:
    """The form; who is logged in already goes on."""
    target = own_path(request.args.get("next"))
    if visitor():
        return redirect(target)  # type: ignore[return-value]
    return _form(target)


@blp.post("/login")
@public
def enter() -> Response:
    """Open a session under a new token, or ask for the second step; the session the browser had ends."""
    check_form()
    target, email = own_path(request.form.get("next")), request.form.get("email", "")[:320]
    try:
        found = sessions.log_in(email, request.form.get("password", "")[:1000], visit())
    except Unauthorized:
        return _form(target, email, gettext("The e-mail address or the password is not right."), 401)
    except TooMany:
        return _form(target, email, _too_many(), 429)
    if isinstance(found, Session):
        return _entered(found, target)
    return _code_form(target, found)


@blp.post("/login/code")
@public
def enter_code() -> Response:
    """The second step: a code of the authenticator, or a recovery code."""
    check_form()
    target, step = own_path(request.form.get("next")), SecondStep(request.cookies.get(cookie_name("step"), ""))
    try:
        return _entered(sessions.second_step(step.token, request.form.get("code", "")[:40], visit()), target)
    except Unauthorized as problem:
        if problem.code == "step_expired":
            return _form(target, error=gettext("That took too long. Log in again."), status=401)
        return _code_form(target, step, gettext("This code is not right, or was used already."), 401)
    except TooMany:
        return _code_form(target, step, _too_many(), 429)


@blp.post("/logout")
@page(before_set_up=True)
def leave() -> Response:
    """End the session."""
    sessions.log_out(request.cookies[cookie_name("session")], person().actor)
    response = redirect(url_for("login.form"))
    response.delete_cookie(cookie_name("session"))
    return response  # type: ignore[return-value]


def _entered(session: Session, target: str) -> Response:
    if RESET_NOTICE in session.notices:
        flash(
            gettext(
                "An admin has reset your two-step log-in. If you did not ask for it, tell them; else set it up anew."
            ),
            "warn",
        )
    response: Response = redirect(target)  # type: ignore[assignment]
    set_cookie(response, "session", session.token)
    for purpose in ("form", "step"):
        response.delete_cookie(cookie_name(purpose))
    return response


def _form(target: str, email: str = "", error: str = "", status: int = 200) -> Response:
    return make_response(render_template("login.html", target=target, email=email, error=error), status)


def _code_form(target: str, step: SecondStep, error: str = "", status: int = 200) -> Response:
    response = make_response(render_template("login_code.html", target=target, error=error), status)
    set_cookie(response, "step", step.token)
    return response


def _too_many() -> str:
    return gettext("Too many attempts. Wait a quarter of an hour, then try again.")
