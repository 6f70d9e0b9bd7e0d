"""What a person sees when something does not work: a page in their language with the request id on it."""

from http import HTTPStatus
from typing import Final

from flask import Blueprint, Flask, Response, make_response, render_template, request
from flask_babel import gettext, lazy_gettext
from werkzeug.exceptions import HTTPException, NotFound

from services.console.pages.session import is_fragment
from shared import problems, telemetry
from shared.client import SiblingDown
from shared.problems import Problem
from shared.web import problem_response

_log = telemetry.get_logger(__name__)

_TITLES: Final = {
    400: lazy_gettext("This request cannot be understood"),
    403: lazy_gettext("You may not do this"),
    404: lazy_gettext("There is nothing here"),
    405: lazy_gettext("This page does not take that"),
    409: lazy_gettext("This is not possible now"),
    412: lazy_gettext("Somebody else changed this meanwhile"),
    413: lazy_gettext("This is too large"),
    422: lazy_gettext("Something in this form is not right"),
    429: lazy_gettext("Too many attempts"),
    503: lazy_gettext("A part of the platform does not answer"),
}


def page_blueprint(name: str, module: str) -> Blueprint:
    """A blueprint of pages: what goes wrong in them becomes a page, while the API keeps its problem+json."""
    blueprint = Blueprint(name, module)
    blueprint.register_error_handler(Problem, _problem)
    blueprint.register_error_handler(HTTPException, _http)
    blueprint.register_error_handler(Exception, _unexpected)
    return blueprint


def install(app: Flask) -> None:
    """Let an address that nothing listens to become a page for people."""
    app.register_error_handler(404, _unknown_address)


def _problem(error: Problem) -> Response:
    detail = error.detail
    if isinstance(error, SiblingDown):
        # Its text begins with the sibling's name.
        service = detail.partition(" ")[0]
        detail = gettext("%(service)s does not answer now. Nothing was lost; try again in a moment.", service=service)
    return _page(error.status, detail)


def _http(error: HTTPException) -> Response:
    return _page(error.code or 500, "")


def _unexpected(error: Exception) -> Response:
    _log.exception("unexpected_error", error=type(error).__name__)
    return _page(500, gettext("Something went wrong on our side. The number below finds it in the logs."))


def _unknown_address(_error: NotFound) -> Response:
    if request.path.startswith("/v1/") or not request.accept_mimetypes.accept_html:
        return problem_response(problems.NotFound("there is nothing at this address"))
    return _page(404, gettext("The address may be mistyped, or what was here has been removed."))


def _page(status: int, detail: str) -> Response:
    title = _TITLES.get(status) or (gettext("Something went wrong") if status >= 500 else HTTPStatus(status).phrase)
    template = "errors/fragment.html" if is_fragment() else "errors/page.html"
    return make_response(render_template(template, status=status, title=title, detail=detail), status)
