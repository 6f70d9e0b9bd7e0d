"""The platform under test: started by its own supervisor in a folder of its own, seen and struck from outside."""

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, LiteralString

import psutil
import psycopg
import redis
import requests
from psycopg.rows import tuple_row

from deploy import up
from deploy.home import CHECKOUT, Home
from deploy.process import LOOPBACK, Command, port_is_taken, spawn, tail
from deploy.topology import MAIL_PORT, METRICS_PORT
from shared.config import SERVICE_PORTS

START_TIMEOUT_S: Final = 600.0
STOP_TIMEOUT_S: Final = 200.0  # the stages of the supervisor together
_PATIENCE_S: Final = 90.0
# Beside the defaults: appenders and senders of their own, so that each can be struck by itself; two of each, so that
# somebody is left when one is frozen past its lease.
SCALE: Final = {"profile-appender": 2, "campaign-sender": 2}


@dataclass(frozen=True)
class Target:
    """One process the supervisor runs."""

    name: str
    role: str
    pid: int


class ApiError(RuntimeError):
    """The platform refused what a marketer may do, or did not answer for long."""


class Installation:
    """One platform. Everything is done to processes that descend from the supervisor we started, and to no others."""

    def __init__(self, data: Path, base_port: int, smtp_port: int) -> None:
        self.home, self.base_port = Home(data), base_port
        self._smtp_port = smtp_port
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._owner_url = self.redis_url = self.admin_key = ""

    @property
    def url(self) -> str:
        """The proxy's address."""
        return f"http://{LOOPBACK}:{self.base_port}"

    def service_url(self, service: str) -> str:
        """A service's own address."""
        return f"http://{LOOPBACK}:{self.base_port + SERVICE_PORTS[service]}"

    def start(self) -> float:
        """Start and wait until all roles are ready; returns the seconds it took. Raises RuntimeError."""
        began = time.monotonic()
        self.home.prepare()
        arguments = ["up", "--data", str(self.home.path), "--port", str(self.base_port)]
        for role, count in SCALE.items():
            arguments += ["--scale", f"{role}={count}"]
        said = self.home.path.with_name("supervisor.out")
        with said.open("ab") as output:
            self._supervisor = spawn(
                Command([sys.executable, "-m", "deploy", *arguments], self._environment(), str(CHECKOUT)), output
            )
        while not self.home.read_state().get("ready"):
            if self._supervisor.poll() is not None or time.monotonic() - began > START_TIMEOUT_S:
                raise RuntimeError(f"the platform did not start:\n{tail(said, 40)}")
            time.sleep(0.1)
        around = up.surroundings(self.home)
        if around is None:
            raise RuntimeError("the platform ended at once")
        self._owner_url, self.redis_url = around.owner_url, around.redis_url
        self.admin_key = self.key("admin")
        return time.monotonic() - began

    def _environment(self) -> dict[str, str]:
        ours = {"SMTP_URL": f"smtp://{LOOPBACK}:{self._smtp_port}", "PYTHONUNBUFFERED": "1"}
        return {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")} | ours

    def stop(self) -> bool:
        """End it; True when it ended by itself when asked. Nothing of it is left either way."""
        if self._supervisor is None:
            return True
        known = self.descendants()
        for process in known:
            _quietly(process.resume)
        if self._supervisor.poll() is None:
            self._supervisor.send_signal(signal.SIGCONT)
            self._supervisor.send_signal(signal.SIGTERM)
        kind = True
        try:
            self._supervisor.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            kind = False
            self._supervisor.kill()
            self._supervisor.wait()
        left = [process for process in known if process.is_running()]
        _, left = psutil.wait_procs(left, timeout=10)
        for process in left:
            _quietly(process.kill)
        return kind and not left

    def is_supervised(self) -> bool:
        """Whether the supervisor itself still runs."""
        return self._supervisor is not None and self._supervisor.poll() is None

    def descendants(self) -> list[psutil.Process]:
        """Every process of the platform, the supervisor's children first."""
        if self._supervisor is None or self._supervisor.poll() is not None:
            return []
        try:
            return psutil.Process(self._supervisor.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def supervisor_and_workers(self) -> list[psutil.Process]:
        """The supervisor, then every worker and its children."""
        found = [psutil.Process(self._supervisor.pid)] if self._supervisor is not None else []
        for process in self.descendants():
            with suppress(psutil.Error):
                if "worker" in process.cmdline():
                    found.append(process)
        return found

    def targets(self, kinds: Sequence[str]) -> list[Target]:
        """The running processes of these roles (whole names, or endings such as -api)."""
        return [
            Target(entry["name"], entry["role"], entry["pid"])
            for entry in self.home.read_state().get("processes", [])
            if entry["pid"] and entry["state"] == "running" and entry["role"].endswith(tuple(kinds))
        ]

    def process(self, target: Target) -> psutil.Process:
        """The process of a target, known to be ours. Raises psutil.NoSuchProcess when it is gone or is not."""
        process = psutil.Process(target.pid)
        if self._supervisor is None or self._supervisor.pid not in [parent.pid for parent in process.parents()]:
            raise psutil.NoSuchProcess(target.pid)
        return process

    def restarts(self, role: str) -> int:
        """How often the supervisor has restarted the processes of a role."""
        return sum(entry["restarts"] for entry in self.home.read_state().get("processes", []) if entry["role"] == role)

    def ports_of(self, role: str) -> dict[int, psutil.Process]:
        """Which process holds our end of each connection of a role's processes and their children."""
        held: dict[int, psutil.Process] = {}
        for target in self.targets((role,)):
            with suppress(psutil.Error):
                parent = self.process(target)
                for process in (parent, *parent.children(recursive=True)):
                    held |= {one.laddr.port: process for one in process.net_connections("tcp") if one.raddr}
        return held

    @contextmanager
    def database(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """A connection as the database's owner, autocommit. Raises psycopg.OperationalError while there is none."""
        connection = psycopg.connect(
            self._owner_url,
            autocommit=True,
            connect_timeout=10,
            row_factory=tuple_row,
            options="-c statement_timeout=60s",
        )
        with connection:
            yield connection

    def rows(self, query: LiteralString, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """What the database answers to one query."""
        with self.database() as connection:
            return connection.execute(query, parameters).fetchall()

    def value(self, query: LiteralString, parameters: dict[str, Any] | None = None) -> Any:
        """The first value of the answer."""
        return self.rows(query, parameters)[0][0]

    def valkey(self) -> "redis.Redis":
        """A client of the platform's Valkey."""
        return redis.Redis.from_url(self.redis_url, socket_timeout=3.0, socket_connect_timeout=1.0)

    def key(self, kind: str) -> str:
        """A new API key, made with the command line."""
        command = [sys.executable, "-m", "deploy", "keys", "create", "--kind", kind, "--name", f"fault {kind}"]
        done = subprocess.run(
            [*command, "--data", str(self.home.path)],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=True,
            timeout=_PATIENCE_S,
        )
        return done.stdout.strip().splitlines()[0]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request of a client that does not give up: the Idempotency-Key makes repeating it safe.

        Raises ApiError for a refusal, and when there is no answer for long.
        """
        headers = {"Authorization": f"Bearer {self.admin_key}", "Idempotency-Key": uuid.uuid4().hex}
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                reply = requests.request(method, self.url + path, json=body, headers=headers, timeout=20)
                if reply.ok:
                    return reply.json() if reply.content else None
                said = f"{reply.status_code} {reply.text[:1000]}"
            except requests.RequestException as error:
                reply, said = None, repr(error)
            again = reply is None or reply.status_code >= 500 or reply.status_code in (409, 429)
            if not again or time.monotonic() > deadline:
                raise ApiError(f"{method} {path}: {said}")
            time.sleep(0.5)


def free_block(first: int) -> tuple[int, socket.socket]:
    """The first of so many ports in a row as a platform needs that nobody uses, from `first` on.

    The socket keeps the block for us against others who look at this moment: close it once the platform runs.
    """
    for base in range(first, first + 4000, 20):
        reservation = socket.socket()
        try:
            reservation.bind((LOOPBACK, base + MAIL_PORT))  # the only one that is not the platform's but ours
        except OSError:
            reservation.close()
            continue
        if not any(port_is_taken(base + offset) for offset in range(METRICS_PORT + 1) if offset != MAIL_PORT):
            return base, reservation
        reservation.close()
    raise RuntimeError("no free ports")


def _quietly(action: Any) -> None:
    with suppress(psutil.Error):
        action()
