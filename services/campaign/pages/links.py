"""The public links of messages, under /e/: no login, no cookies; what they may do is in their signature."""

import base64
from typing import Final

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from services.campaign.actions import reactions
from services.campaign.actions.reactions import Leaving, Reader
from shared.auth import public
from shared.problems import NotFound

blp = Blueprint("links", __name__, url_prefix="/e")

_PIXEL: Final = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_PRIVATE: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
_PAGE_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
# A shop's own HTML, shown from our address: pictures and styles, but never a script, a form or a frame.
_MESSAGE_POLICY: Final = (
    "sandbox allow-popups allow-top-navigation-by-user-activation; default-src 'none'; "
    "img-src https: http: data:; style-src 'unsafe-inline'; frame-ancestors 'none'"
)


@blp.get("/c/<token>")
@public
def click(token: str) -> AnyResponse:
    """Count a click and go on to where the message pointed."""
    try:
        return _private(redirect(reactions.clicked(token, _reader()), 302))
    except NotFound as problem:
        return _refused(problem)


@blp.get("/o/<token>.gif")
@public
def pixel(token: str) -> AnyResponse:
    """Count an open; a picture in any case, so that no reader sees a broken one."""
    try:
        reactions.opened(token, _reader())
    except NotFound:
        return _private(Response(_PIXEL, 404, content_type="image/gif"))
    return _private(Response(_PIXEL, content_type="image/gif"))


@blp.get("/u/<token>")
@public
def ask_to_leave(token: str) -> AnyResponse:
    """Ask before unsubscribing: mail scanners follow links too."""
    try:
        return _page(reactions.leaving(token))
    except NotFound as problem:
        return _refused(problem)


@blp.post("/u/<token>")
@public
def leave(token: str) -> AnyResponse:
    """Unsubscribe at once: the button of the page, or a mail program's one click (RFC 8058)."""
    try:
        return _page(reactions.unsubscribe(token, _reader()))
    except NotFound as problem:
        return _refused(problem)


@blp.get("/v/<token>")
@public
def view(token: str) -> AnyResponse:
    """The message in the browser."""
    try:
        html = reactions.view(token)
    except NotFound as problem:
        return _refused(problem)
    return _private(Response(html, content_type="text/html; charset=utf-8"), _MESSAGE_POLICY)


def _reader() -> Reader:
    return Reader(request.method, request.headers.get("User-Agent", ""))


def _page(leaving: Leaving) -> AnyResponse:
    return _private(Response(render_template("unsubscribe.html", leaving=leaving)), _PAGE_POLICY)


def _refused(problem: NotFound) -> AnyResponse:
    """The page for people, problem+json for programs."""
    if request.accept_mimetypes.best_match(("application/json", "text/html")) == "text/html":
        return _private(Response(render_template("refused.html"), problem.status), _PAGE_POLICY)
    raise problem


def _private(response: AnyResponse, policy: str | None = None) -> AnyResponse:
    response.headers.update(_PRIVATE)
    if policy:
        response.headers["Content-Security-Policy"] = policy
    return response
