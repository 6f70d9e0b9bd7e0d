"""A running platform, seen from outside, and how one is shared by the test workers of a run."""

import fcntl
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil
import requests

from deploy.process import port_is_taken
from deploy.topology import METRICS_PORT

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30.0
T = TypeVar("T")


@dataclass
class Platform:
    """One platform started by `zhike up --with mail`, or by tests.journey.composed on given servers.

    `console`: the environment of the console where `zhike keys` and `zhike users` have to be told it.
    """

    data: Path
    base_port: int
    console: dict[str, str] = field(default_factory=dict, repr=False)
    _keys: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The proxy's address: the one door."""
        return f"http://127.0.0.1:{self.base_port}"

    @property
    def mail(self) -> Path:
        """The mail catcher's folder."""
        return self.data / "mail"

    def key(self, kind: str) -> str:
        """An API key of this kind, made with the command line."""
        if kind not in self._keys:
            # Where the console's variables say all, `--data` names a folder that no `zhike up` runs in.
            data = self.data / "none" if self.console else self.data
            wanted = ("keys", "create", "--kind", kind, "--name", f"journey {kind}", "--data", str(data))
            self._keys[kind] = zhike(*wanted, **self.console).strip().splitlines()[0]
        return self._keys[kind]

    def call(self, method: str, path: str, kind: str | None = "admin", **options: Any) -> requests.Response:
        """One request with a key of this kind (None: without)."""
        headers = dict(options.pop("headers", {}))
        if kind is not None:
            headers.setdefault("Authorization", f"Bearer {self.key(kind)}")
        return requests.request(method, self.url + path, headers=headers, timeout=30, **options)

    def get(self, path: str, kind: str | None = "admin", **params: Any) -> Any:
        """The parsed answer of a GET that must succeed."""
        return parsed(self.call("GET", path, kind, params=params))

    def post(self, path: str, body: Any = None, kind: str | None = "admin") -> Any:
        """The parsed answer of a POST that must succeed."""
        return parsed(self.call("POST", path, kind, json=body))

    def put(self, path: str, body: Any, kind: str | None = "admin") -> Any:
        """The parsed answer of a PUT that must succeed."""
        return parsed(self.call("PUT", path, kind, json=body))

    def send(self, *messages: dict[str, Any], kind: str = "server") -> None:
        """Events through the collector."""
        assert self.post("/v1/batch", {"batch": list(messages)}, kind) == {"success": True}

    def customer(self, identifier: str) -> dict[str, Any] | None:
        """The customer with this identifier (`user_id:mei`), None while there is none."""
        found = self.get("/v1/customers", identifier=identifier)["items"]
        return found[0] if found else None


def parsed(reply: requests.Response) -> Any:
    """The JSON of a successful answer; fails the test with the problem otherwise."""
    assert reply.ok, f"{reply.request.method} {reply.request.url}: {reply.status_code} {reply.text[:2000]}"
    return reply.json() if reply.content else None


def eventually(look: Callable[[], T | None], patience_s: float = PATIENCE_S) -> T:
    """What `look` finds, as soon as it finds something; fails the test when it never does."""
    deadline = time.monotonic() + patience_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"nothing after {patience_s} s; last seen: {found!r}"
        time.sleep(0.1)
    return found


def zhike(*arguments: str, **environment: str) -> str:
    """Run the command line; its standard output."""
    command = [sys.executable, "-m", "deploy", *arguments]
    env = {**os.environ, **environment}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


Starter = Callable[[Path, int], dict[str, str]]  # data folder and base port -> the console's environment


@contextmanager
def shared(folder: Path, *, mail: bool = True, start: Starter | None = None) -> Iterator[Platform]:
    """The platform in `folder`: started by the first who asks, ended by the last who leaves.

    `start` takes the place of `zhike up`. Test workers are processes; who uses it stands in a file, under a lock.
    Those who crashed do not count.
    """
    with _users(folder) as users:
        if not users:
            base_port, console = free_block(), {}
            if start is not None:
                console = start(folder / "data", base_port)
            else:
                catcher = ["--with", "mail"] if mail else []
                zhike("up", "--detach", *catcher, "--data", str(folder / "data"), "--port", str(base_port))
            (folder / "platform.json").write_text(json.dumps({"base_port": base_port, "console": console}))
        users.append(psutil.Process().pid)
    try:
        yield Platform(folder / "data", **json.loads((folder / "platform.json").read_text()))
    finally:
        with _users(folder) as users:
            users.remove(psutil.Process().pid)
            if not users:
                zhike("stop", "--data", str(folder / "data"))


@contextmanager
def _users(folder: Path) -> Iterator[list[int]]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "users").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        users = [pid for pid in json.loads(file.read() or "[]") if psutil.pid_exists(pid)]
        yield users
        file.truncate(0)
        file.write(json.dumps(users))


def free_block() -> int:
    """Fourteen ports in a row that nobody listens on, away from the default ones; at random, for others look too."""
    for base in random.sample(range(18400, 28400, 20), 500):
        if not any(port_is_taken(base + offset) for offset in range(METRICS_PORT + 1)):
            return base
    raise RuntimeError("no fourteen free ports in a row")
