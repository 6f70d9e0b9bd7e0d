"""HTTP to a sibling: service token, request id, time-outs, retries where safe, a breaker, problems as exceptions."""

import threading
from typing import Any, Final

import pybreaker
import requests
import stamina

from shared import auth, telemetry, tracing
from shared.config import Settings
from shared.problems import BY_STATUS, Problem, Unavailable

_SAFE: Final = frozenset({"GET", "HEAD", "PUT", "DELETE"})


class SiblingDown(Unavailable):
    """The sibling cannot be reached, or failed; worth another try later."""

    default_code = "sibling_unavailable"


class Sibling:
    """A client of one sibling service. Cheap to use from many threads: one HTTP session a thread."""

    def __init__(self, issuer: str, name: str, base_url: str) -> None:
        self.name, self._issuer, self._base_url = name, issuer, base_url
        self._local = threading.local()
        self._breaker = pybreaker.CircuitBreaker(fail_max=5, reset_timeout=2, exclude=[_is_callers_fault])

    def get(self, path: str, **options: Any) -> Any:
        """GET; see request()."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Any:
        """POST; see request()."""
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> Any:
        """PUT; see request()."""
        return self.request("PUT", path, **options)

    def delete(self, path: str, **options: Any) -> Any:
        """DELETE; see request()."""
        return self.request("DELETE", path, **options)

    def request(  # noqa: PLR0913  # one keyword for each thing a request can carry
        self,
        method: str,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        json: Any = None,
        timeout: float = 5.0,
        user: str | None = None,
        scopes: tuple[str, ...] = ("*",),
        headers: dict[str, str] | None = None,
        idempotent: bool = False,
    ) -> Any:
        """The parsed JSON of the sibling's reply (None for an empty one).

        Safe methods, and others said to be `idempotent`, are tried up to three times within about a second.
        `user` and `scopes`: act for a person. Raises the sibling's Problem, SiblingDown where it does not answer.
        """
        attempts = 3 if method in _SAFE or idempotent else 1
        try:
            for attempt in stamina.retry_context(on=SiblingDown, attempts=attempts, wait_initial=0.1, wait_max=0.5):
                with attempt:
                    return self._breaker.call(self._once, method, path, params, json, timeout, user, scopes, headers)
        except pybreaker.CircuitBreakerError as error:
            raise SiblingDown(f"{self.name} has not answered lately") from error

    def _once(
        self,
        method: str,
        path: str,
        params: dict[str, Any] | None,
        json: Any,
        timeout: float,
        user: str | None,
        scopes: tuple[str, ...],
        headers: dict[str, str] | None,
    ) -> Any:
        token = auth.service_token(self._issuer, self.name, user=user, scopes=scopes)
        sent = {"Authorization": f"Bearer {token}", "X-Request-Id": telemetry.request_id() or "", **(headers or {})}
        with tracing.span(f"{method} {self.name}", "client") as span:
            try:
                reply = self._session().request(
                    method,
                    self._base_url + path,
                    params=params,
                    json=json,
                    headers=sent | tracing.carry(),
                    timeout=(1.0, timeout),
                )
            except requests.RequestException as error:
                raise SiblingDown(f"{self.name} does not answer") from error
            if span is not None:
                span.set_attribute("http.response.status_code", reply.status_code)
        return _parsed(self.name, reply)

    def _session(self) -> requests.Session:
        session = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.trust_env = False  # no proxy between siblings
        return session


def _parsed(name: str, reply: requests.Response) -> Any:
    if reply.ok:
        return reply.json() if reply.content else None
    if reply.status_code >= 500:
        raise SiblingDown(f"{name} answered {reply.status_code}")
    try:
        body = reply.json()
    except requests.JSONDecodeError:
        body = {}
    kind = BY_STATUS.get(reply.status_code, Problem)
    problem = kind(
        body.get("detail") or f"{name} answered {reply.status_code}",
        code=body.get("code"),
        errors=body.get("errors", ()),
    )
    problem.status = reply.status_code
    raise problem


def _is_callers_fault(error: BaseException) -> bool:
    return not isinstance(error, SiblingDown)


_siblings: dict[str, Sibling] = {}


def configure(settings: Settings) -> None:
    """Say where the siblings are (done by shared.web.create_app and shared.queue.create_worker)."""
    _siblings.clear()
    _siblings.update((name, Sibling(settings.service, name, url)) for name, url in settings.service_urls.items())


def sibling(name: str) -> Sibling:
    """The client of the sibling service `name`."""
    if not _siblings:
        raise RuntimeError("shared.client.configure() has not been called in this process")
    return _siblings[name]
