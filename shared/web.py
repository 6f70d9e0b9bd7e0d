"""A Flask app with the manners of this house: problem+json, request ids, health, metrics, OpenAPI, cursors, ETags."""

import base64
import functools
import json
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, Final, TypeVar

import orjson
from flask import Blueprint as FlaskBlueprint
from flask import Flask, Request, Response, g
from flask import request as http
from flask.sessions import NullSession, SessionInterface
from flask_smorest import Api
from werkzeug.exceptions import HTTPException

from shared import client, crypto, database, idempotency, metrics, queue, standing, telemetry, tracing
from shared.config import Settings
from shared.operations import operations
from shared.problems import (
    BY_STATUS,
    BadRequest,
    FieldError,
    Invalid,
    PreconditionFailed,
    Problem,
    Unavailable,
)

F = TypeVar("F", bound=Callable[..., Any])

MAX_BODY: Final = 16 * 1024 * 1024
_PIECE: Final = 64 * 1024

_log = telemetry.get_logger(__name__)
_UNTRACED: Final = frozenset({"/healthz", "/readyz", "/metrics", "/statusz"})


class _Api(Api):  # type: ignore[misc]  # flask-smorest has no types
    """flask-smorest, with its own error pages left out: ours are registered on the app."""

    def _register_error_handlers(self) -> None: ...


class _NoSessions(SessionInterface):
    """An API's requests have none: nothing is made, looked up or signed for them. Pages that want some say so."""

    _none = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        return self._none

    def save_session(self, app: Flask, session: object, response: Response) -> None: ...


class _App(Flask):
    """Flask without what it asks at each step of each request: whether a function is a coroutine. None of ours is."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(
    settings: Settings,
    blueprints: Iterable[FlaskBlueprint] = (),
    *,
    errors: Mapping[type[Exception], type[Problem]] | None = None,
    title: str = "",
    stands: standing.Tell = standing.Standing,
    **flask_options: Any,
) -> Flask:
    """The Flask app of a service, ready to serve.

    `errors` maps the domain's exceptions to problems (their text is the detail; `code` and `errors` attributes are
    used where present). `stands` tells how the service stands. `flask_options` go to Flask (template_folder …).
    """
    telemetry.configure(settings.service, settings.log_level)
    crypto.configure(settings)
    database.configure(settings.database_url, settings.service, settings.pool_size)
    queue.configure(settings)
    client.configure(settings)
    standing.configure(settings.service, stands)
    flask_options.setdefault("static_folder", None)
    app = _App(f"services.{settings.service}", **flask_options)
    app.session_interface = _NoSessions()
    app.config.update(
        SERVICE=settings.service,
        SETTINGS=settings,
        MAX_CONTENT_LENGTH=MAX_BODY,
        API_TITLE=title or f"Zhike {settings.service}",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
        PROPAGATE_EXCEPTIONS=False,
    )
    _install_requests(app)
    _install_errors(app, errors or {})
    app.register_blueprint(operations)
    api = _Api(app)
    api.spec.components.security_scheme("key", {"type": "http", "scheme": "bearer"})
    api.spec.options["security"] = [{"key": []}]
    for blueprint in blueprints:
        if hasattr(blueprint, "register_views_in_doc"):
            api.register_blueprint(blueprint)
        else:
            app.register_blueprint(blueprint)
    return app


def problem_response(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """`problem` as application/problem+json (RFC 9457). `message` repeats `detail` for SDKs that read that."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "message": problem.detail,
        "request_id": telemetry.request_id(),
    }
    if problem.errors:
        body["errors"] = problem.errors
    response = Response(_dumped(body), problem.status, headers, content_type="application/problem+json")
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


def _dumped(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # a lone surrogate in what is repeated of the request
        return json.dumps(body).encode()


def json_bytes(data: Any, status: int = 200) -> Response:
    """`data` as JSON by orjson: for hot answers, past marshmallow."""
    return Response(orjson.dumps(data), status, content_type="application/json")


def encode_cursor(*values: Any) -> str:
    """An opaque list cursor from the last row's sort values (JSON types, datetimes, UUIDs)."""
    return base64.urlsafe_b64encode(orjson.dumps(values, default=str)).rstrip(b"=").decode()


def decode_cursor(text: str | None) -> list[Any] | None:
    """The values behind a cursor (datetimes and UUIDs come back as text); None for None. Raises BadRequest."""
    if not text:
        return None
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        values = orjson.loads(raw)
    except ValueError:
        raw, values = b"", None
    if not isinstance(values, list) or b"\\u0000" in raw:  # a text that Postgres cannot compare with
        raise BadRequest("the cursor is not one of ours; start again without it", code="bad_cursor")
    return values


def set_etag(version: object) -> None:
    """Put the version of the thing on the reply as its ETag."""
    g.etag = f'"{version}"'


def check_match(version: object) -> None:
    """Refuse (412) when the caller's If-Match names another version than the present one."""
    wanted = http.headers.get("If-Match")
    if wanted and wanted.strip() != "*" and wanted.strip() != f'"{version}"':
        raise PreconditionFailed(
            "somebody else changed this since you read it; load it again", code="changed_meanwhile"
        )


def _install_requests(app: Flask) -> None:
    @app.before_request
    def _begin() -> None:
        g.started = time.perf_counter()
        g.request_scope = telemetry.request(http.headers.get("X-Request-Id"))
        g.request_id = g.request_scope.__enter__()
        _enter_span()
        # No address of ours has one, and Postgres takes none: refused once, before anything looks it up.
        if "\0" in http.path or b"%00" in http.query_string:
            raise BadRequest("an address cannot hold the character U+0000")

    @app.after_request
    def _finish(response: Response) -> Response:
        seconds = time.perf_counter() - g.get("started", time.perf_counter())
        route = http.url_rule.rule if http.url_rule else "-"
        count, duration = _measures(app.config["SERVICE"], route, response.status_code)
        count.inc()
        duration.observe(seconds)
        _note_status(response)
        response.headers["X-Request-Id"] = g.get("request_id", "")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        if "etag" in g:
            response.headers["ETag"] = g.etag
        if "idempotency" in g:
            idempotency.keep_reply(response)
        _read_out()
        write = _log.info if response.status_code >= 400 or seconds > 1 else _log.debug
        write("request", method=http.method, route=route, status=response.status_code, ms=round(seconds * 1000, 1))
        return response

    @app.teardown_request
    def _end(_error: BaseException | None) -> None:
        for name in ("span_scope", "request_scope"):
            scope = g.pop(name, None)
            if scope is not None:
                scope.__exit__(None, None, None)


def _read_out() -> None:
    """Read what nobody has read of the request, within bounds.

    gunicorn closes a connection over the rest of a body, and a proxy in between would tell its client that we are away
    instead of what we answered, or the next client whose request it was about to send over it.
    """
    length = http.content_length
    if length == 0 or (length or 0) > MAX_BODY or (length is not None and http.stream.tell() >= length):
        return
    left = MAX_BODY
    with suppress(Exception):  # the client has gone, or its chunks are none: there is nobody left to be told
        while left > 0 and (piece := http.stream.read(min(_PIECE, left))):
            left -= len(piece)


def _enter_span() -> None:
    if tracing.enabled():
        g.span_scope = _request_span()
        g.span = g.span_scope.__enter__()


def _note_status(response: Response) -> None:
    if g.get("span") is not None:
        g.span.set_attribute("http.response.status_code", response.status_code)


def _request_span() -> AbstractContextManager[Any]:
    route = http.url_rule.rule if http.url_rule else "-"
    if route in _UNTRACED:
        return nullcontext(None)
    attributes = {"http.request.method": http.method, "http.route": route, "zhike.request_id": telemetry.request_id()}
    return tracing.span(f"{http.method} {route}", "server", dict(http.headers.items(lower=True)), **attributes)


@functools.lru_cache(4096)
def _measures(service: str, route: str, status: int) -> tuple[Any, Any]:
    """The metrics with these labels; looking them up costs more than counting."""
    return metrics.REQUESTS.labels(service, route, status), metrics.REQUEST_SECONDS.labels(service, route)


def _install_errors(app: Flask, mapping: Mapping[type[Exception], type[Problem]]) -> None:
    @app.errorhandler(Problem)
    def _problem(error: Problem) -> Response:
        return problem_response(error)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response:
        return problem_response(_from_http(error), _headers_of(error))

    @app.errorhandler(RecursionError)
    def _too_deep(_error: RecursionError) -> Response:
        return problem_response(BadRequest("this JSON is nested deeper than anything we take", code="too_deep"))

    @app.errorhandler(Exception)
    def _unexpected(error: Exception) -> Response:
        _log.exception("unexpected_error", error=type(error).__name__)
        return problem_response(Problem("something went wrong on our side; the request id finds it in the logs"))

    def _unavailable(error: Exception) -> Response:
        _log.error("database_unavailable", error=type(error).__name__)
        return problem_response(Unavailable("the database cannot do this now; try again shortly", retry_after=2))

    for unavailable in database.UNAVAILABLE:
        app.register_error_handler(unavailable, _unavailable)
    for kind, problem in mapping.items():
        app.register_error_handler(kind, functools.partial(_domain, problem))


def _domain(kind: type[Problem], error: Exception) -> Response:
    code, errors = getattr(error, "code", None), getattr(error, "errors", ())
    return problem_response(kind(str(error), code=code, errors=errors))


def _from_http(error: HTTPException) -> Problem:
    status = error.code or 500
    messages = getattr(error, "data", None)
    if status == 422 and isinstance(messages, dict):  # webargs: {"json": {"field": ["Missing data …"]}}
        found = [item for place in messages.get("messages", {}).values() for item in _flatten(place)]
        return Invalid("the request does not fit its schema", code="schema", errors=found)
    problem = BY_STATUS.get(status, Problem)(str(error.description or error.name))
    problem.status, problem.title = status, error.name
    if status not in BY_STATUS and status < 500:
        problem.code = error.name.lower().replace(" ", "_")
    return problem


def _flatten(messages: Any, path: str = "") -> list[FieldError]:
    if isinstance(messages, dict):
        return [e for key, value in messages.items() for e in _flatten(value, f"{path}.{key}" if path else str(key))]
    if isinstance(messages, list):
        return [e for value in messages for e in _flatten(value, path)]
    return [{"path": path, "message": str(messages)}]


def _headers_of(error: HTTPException) -> dict[str, str]:
    return {k: v for k, v in error.get_headers() if k.lower() in ("allow", "retry-after", "www-authenticate")}
