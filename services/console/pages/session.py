"""Who looks at a page: the session cookie, the CSRF token, and the decorator that every page carries."""

import functools
import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from flask import Response, current_app, g, redirect, request, url_for
from flask_babel import gettext

from services.console.actions import sessions
from services.console.actions.sessions import Person, Visit
from services.console.domain.devices import device
from services.console.domain.permissions import ALL
from shared.auth import guarded
from shared.crypto import signing_key
from shared.problems import Forbidden

F = TypeVar("F", bound=Callable[..., Any])

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def page(permission: str = "", *, before_set_up: bool = False) -> Callable[[F], F]:
    """Let only people who are logged in, and whose role holds `permission`, see a page; check the token of forms.

    Who must set up the second step first is led there from every page but those that are open `before_set_up`.
    """
    if permission and permission not in ALL:
        raise KeyError(permission)

    def decorate(view: F) -> F:
        @functools.wraps(view)
        def entered(*args: Any, **kwargs: Any) -> Any:
            found = visitor()
            if found is None:
                return to_login()
            check_form()
            if found.must_set_up and not before_set_up:
                return _elsewhere(url_for("two_step.show"))
            if permission and not found.may(permission):
                raise Forbidden(gettext("Your role does not allow this."), code="role")
            return view(*args, **kwargs)

        return guarded(f"session:{permission or 'anyone'}")(entered)  # type: ignore[return-value]

    return decorate


def visitor() -> Person | None:
    """Whoever is logged in on this request, or None."""
    if "person" not in g:
        g.person = sessions.who(request.cookies.get(cookie_name("session")))
    found: Person | None = g.person
    return found


def person() -> Person:
    """Whoever is logged in. Only inside a view behind page()."""
    found: Person = g.person
    return found


def form_token() -> str:
    """The CSRF token of this browser: bound to its session, or before logging in to a random cookie."""
    secret = request.cookies.get(cookie_name("session")) if visitor() else _form_cookie()
    return hmac.new(signing_key("console-csrf"), (secret or "").encode(), hashlib.sha256).hexdigest()


def check_form() -> None:
    """Refuse a request that changes something and did not come from our own page."""
    if request.method in SAFE:
        return
    given = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
    if not hmac.compare_digest(given.encode(), form_token().encode()):
        raise Forbidden(gettext("This form is too old or not ours. Load the page again and repeat it."), code="csrf")


def cookie_name(purpose: str) -> str:
    """Cookies know no ports: with the public port in the name two installations on one machine stay apart."""
    parts = urlsplit(current_app.config["SETTINGS"].public_url)
    return f"zhike_{parts.port or parts.scheme}_{purpose}"


def set_cookie(response: Response, purpose: str, value: str, max_age: int | None = None) -> None:
    """A cookie no script can read and no foreign page makes the browser send with a form."""
    response.set_cookie(
        cookie_name(purpose), value, max_age=max_age, httponly=True, samesite="Lax", secure=over_tls(), path="/"
    )


def over_tls() -> bool:
    """Whether people reach us by HTTPS: the request says so, or, where TLS ends before us, our public address."""
    return request.is_secure or current_app.config["SETTINGS"].public_url.startswith("https:")


def to_login() -> Response:
    """Send a visitor to the log-in page and, if that is safe, back here afterwards."""
    back = request.full_path.rstrip("?") if request.method == "GET" and not is_fragment() else None
    return _elsewhere(url_for("login.form", next=back if back and back != "/" else None))


def visit() -> Visit:
    """From where somebody logs in."""
    return Visit(
        request.remote_addr or "",
        device(request.headers.get("User-Agent", "")),
        request.cookies.get(cookie_name("session")),
    )


def is_fragment() -> bool:
    """Whether htmx asks for a part of a page."""
    return request.headers.get("HX-Request") == "true"


def own_path(target: str | None, default: str = "/") -> str:
    """`target` if it is a path of ours, else `default`: nobody is sent elsewhere by a link to our log-in page."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return default
    if any(ord(char) < 32 or char == "\\" for char in target) or urlsplit(target).netloc:
        return default
    return target


def keep_form_cookie(response: Response) -> Response:
    """Send the random cookie that binds the log-in form to this browser, if one was made for this page."""
    made = g.get("form_cookie")
    if made:
        set_cookie(response, "form", made)
    return response


def _elsewhere(target: str) -> Response:
    if is_fragment():
        return Response("", 401, {"HX-Redirect": target})
    return redirect(target)  # type: ignore[return-value]


def _form_cookie() -> str:
    sent = request.cookies.get(cookie_name("form"))
    if sent:
        return sent
    if "form_cookie" not in g:
        g.form_cookie = secrets.token_urlsafe(24)
    made: str = g.form_cookie
    return made
