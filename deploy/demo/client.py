"""HTTP to the running platform, from outside: through its one address, with an API key, like any shop's system."""

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Final

import orjson
import requests

CONNECTIONS: Final = 2
_PATIENCE_S: Final = 60.0  # a service that restarts is back within this time
_AGAIN: Final = frozenset({429, 502, 503, 504})


class DemoError(RuntimeError):
    """The demo cannot go on; the message says what went wrong and what a person can do."""


class Platform:
    """The platform at `base_url`, seen by the holder of one key. Safe to use from several threads."""

    def __init__(self, base_url: str, key: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._key = key
        self._local = threading.local()

    def get(self, path: str, **params: Any) -> Any:
        """The parsed JSON behind `path`."""
        return self.call("GET", path, params=params)

    def post(self, path: str, body: Any = None) -> Any:
        """POST `body` (JSON bytes, or what becomes JSON)."""
        return self.call("POST", path, body)

    def put(self, path: str, body: Any) -> Any:
        """PUT `body` (JSON bytes, or what becomes JSON)."""
        return self.call("PUT", path, body)

    def call(self, method: str, path: str, body: Any = None, params: dict[str, Any] | None = None) -> Any:
        """One request; tried again for a minute while the platform is busy or restarting.

        Raises DemoError with the platform's own words where it refuses.
        """
        data = body if body is None or isinstance(body, bytes) else orjson.dumps(body)
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            reply, trouble = self._once(method, path, data, params)
            if reply is not None and reply.status_code not in _AGAIN:
                return _parsed(method, path, reply)
            if time.monotonic() > deadline:
                raise DemoError(f"{method} {path}: {trouble}. `zhike status` and `zhike logs` say which part is down.")
            time.sleep(_pause(reply))

    def send_all(self, method: str, path: str, bodies: Iterable[tuple[bytes, int]], done: Callable[[int], None]) -> int:
        """Send every body over a few connections; `done(count)` after each. Returns the sum of counts."""
        total = 0
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            waiting: set[Future[int]] = set()
            for body, count in bodies:
                waiting.add(pool.submit(self._send, method, path, body, count))
                if len(waiting) > CONNECTIONS:  # one ready-made body in reserve, not the whole year in memory
                    total += _collect(waiting, done, CONNECTIONS)
            total += _collect(waiting, done, 0)
        return total

    def _send(self, method: str, path: str, body: bytes, count: int) -> int:
        self.call(method, path, body)
        return count

    def _once(
        self, method: str, path: str, data: bytes | None, params: dict[str, Any] | None
    ) -> tuple[requests.Response | None, str]:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        try:
            reply = self._session().request(
                method, self.base_url + path, params=params, data=data, headers=headers, timeout=(5, 120)
            )
        except requests.RequestException as error:
            return None, f"no answer ({type(error).__name__})"
        return reply, f"answered {reply.status_code}"

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.trust_env = False  # no proxy on the way to this machine
        return session


def _collect(waiting: set[Future[int]], done: Callable[[int], None], leave: int) -> int:
    total = 0
    while len(waiting) > leave:
        finished, _ = wait(waiting, return_when="FIRST_COMPLETED")
        for future in finished:
            waiting.discard(future)
            count = future.result()
            done(count)
            total += count
    return total


def _pause(reply: requests.Response | None) -> float:
    asked = "" if reply is None else reply.headers.get("Retry-After", "")
    return min(float(asked), 5.0) if asked.isdigit() else 0.5


def _parsed(method: str, path: str, reply: requests.Response) -> Any:
    if reply.ok:
        return orjson.loads(reply.content) if reply.content else None
    try:
        problem = reply.json()
    except requests.JSONDecodeError:
        problem = {"detail": reply.text[:200]}
    errors = "; ".join(f"{item['path']}: {item['message']}" for item in problem.get("errors", ())[:3])
    said = problem.get("detail") or problem.get("message") or reply.reason
    raise DemoError(f"{method} {path} answered {reply.status_code}: {said}" + (f" ({errors})" if errors else ""))
