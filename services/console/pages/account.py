"""One's own account: password, sessions, whether the second step is on."""

from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext

from services.console.actions import sessions, two_step, users
from services.console.domain import passwords as policy
from services.console.pages.errors import page_blueprint
from services.console.pages.labels import PASSWORD_ERRORS
from services.console.pages.session import page, person
from shared.problems import Invalid, TooMany

blp = page_blueprint("account", __name__)


@blp.get("/account")
@page()
def show() -> Response:
    """Who one is here, where one is logged in, and the form for another password."""
    return _show()


@blp.post("/account/password")
@page()
def change_password() -> Response:
    """Replace one's password; one's other sessions end."""
    wanted, again = request.form.get("wanted", ""), request.form.get("again", "")
    if wanted != again:
        return _show({"again": gettext("The two new passwords differ.")})
    try:
        users.change_own_password(
            person().user_id,
            request.form.get("present", "")[:1000],
            wanted,
            person().session_id,
            request.remote_addr or "",
            person().actor,
        )
    except Invalid:
        return _show({"present": gettext("The present password is not right.")})
    except TooMany:
        return _show({"present": gettext("Too many attempts. Wait a quarter of an hour, then try again.")})
    except policy.PasswordError as error:
        return _show({"wanted": str(PASSWORD_ERRORS[error.code])})
    flash(gettext("Your password is changed. Other browsers were logged out."), "done")
    return _back()


@blp.post("/account/sessions")
@page()
def end_sessions() -> Response:
    """Log out another browser, or all others."""
    ended = sessions.end_others(person(), request.form.get("session_id", type=UUID))
    flash(gettext("Other browsers logged out: %(count)s.", count=ended), "done")
    return _back()


def _show(errors: dict[str, str] | None = None) -> Response:
    html = render_template(
        "account.html",
        errors=errors or {},
        shortest=policy.SHORTEST,
        logins=sessions.own_sessions(person()),
        state=two_step.state(person().user_id),
    )
    return make_response(html, 422 if errors else 200)


def _back() -> Response:
    return redirect(url_for("account.show"))  # type: ignore[return-value]
