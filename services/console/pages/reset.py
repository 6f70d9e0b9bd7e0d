"""Forgotten passwords: asking for a link, and using one."""

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext

from services.console.actions import resets as actions
from services.console.domain import passwords as policy
from services.console.pages.errors import page_blueprint
from services.console.pages.labels import PASSWORD_ERRORS
from services.console.pages.language import chosen
from services.console.pages.session import check_form
from shared.auth import public
from shared.problems import Invalid, NotFound, TooMany

blp = page_blueprint("reset", __name__)


@blp.get("/forgot")
@public
def forgot() -> str:
    """The form to ask for a link; where no mail can be sent, whom to ask."""
    return render_template("forgot.html", by_mail=actions.by_mail())


@blp.post("/forgot")
@public
def ask() -> Response:
    """Have a link sent. The answer is the same whoever asks, for whomever."""
    check_form()
    by_mail, error = actions.by_mail(), ""
    try:
        if by_mail:
            actions.ask(request.form.get("email", "")[:320], request.remote_addr or "", chosen())
    except TooMany:
        error = gettext("Too many attempts. Wait a quarter of an hour, then try again.")
    html = render_template("forgot.html", by_mail=by_mail, asked=not error, error=error)
    return make_response(html, 429 if error else 200)


@blp.get("/reset/<token>")
@public
def form(token: str) -> Response:
    """The form for a new password. Opening it uses nothing up: mail scanners follow links too."""
    return _form(token)


@blp.post("/reset/<token>")
@public
def finish(token: str) -> Response:
    """Choose the new password; the link and all sessions end."""
    check_form()
    wanted, code = request.form.get("wanted", ""), request.form.get("code", "")[:40]
    if wanted != request.form.get("again", ""):
        return _form(token, {"again": gettext("The two new passwords differ.")})
    try:
        actions.finish(token, wanted, code, request.remote_addr or "")
    except NotFound:
        return _form(token)
    except policy.PasswordError as error:
        return _form(token, {"wanted": str(PASSWORD_ERRORS[error.code])})
    except Invalid:
        return _form(token, {"code": gettext("This code is not right, or was used already.")})
    except TooMany:
        return _form(token, {"wanted": gettext("Too many attempts. Wait a quarter of an hour, then try again.")})
    flash(gettext("Your password is changed. Log in with it."), "done")
    return redirect(url_for("login.form"))  # type: ignore[return-value]


def _form(token: str, errors: dict[str, str] | None = None) -> Response:
    try:
        opened = actions.opened(token)
    except NotFound:
        return make_response(render_template("reset_ended.html"), 404)
    html = render_template("reset.html", opened=opened, token=token, errors=errors or {}, shortest=policy.SHORTEST)
    return make_response(html, 422 if errors else 200)
