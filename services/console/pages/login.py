"""Log in, log out."""

from flask import Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext

from services.console.actions import sessions
from services.console.pages.errors import page_blueprint
from services.console.pages.session import check_form, cookie_name, own_path, page, person, set_cookie, visitor
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
    """Open a session under a new token; the one the browser had ends."""
    check_form()
    target = own_path(request.form.get("next"))
    email = request.form.get("email", "")[:320]
    try:
        session = sessions.log_in(
            email,
            request.form.get("password", "")[:1000],
            request.remote_addr or "",
            replaces=request.cookies.get(cookie_name("session")),
        )
    except Unauthorized:
        return _form(target, email, gettext("The e-mail address or the password is not right."), 401)
    except TooMany:
        return _form(target, email, gettext("Too many attempts. Wait a quarter of an hour, then try again."), 429)
    response = redirect(target)
    set_cookie(response, "session", session.token)  # type: ignore[arg-type]
    response.delete_cookie(cookie_name("form"))
    return response  # type: ignore[return-value]


@blp.post("/logout")
@page()
def leave() -> Response:
    """End the session."""
    sessions.log_out(request.cookies[cookie_name("session")], person().actor)
    response = redirect(url_for("login.form"))
    response.delete_cookie(cookie_name("session"))
    return response  # type: ignore[return-value]


def _form(target: str, email: str = "", error: str = "", status: int = 200) -> Response:
    return make_response(render_template("login.html", target=target, email=email, error=error), status)
