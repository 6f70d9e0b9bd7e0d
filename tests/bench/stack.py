"""The parts of a platform that one benchmark needs, with servers that keep what they are told (fsync on)."""

import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import Any, LiteralString

import psycopg
import requests

from deploy import environment, topology
from deploy.migrate import migrate, role_url
from deploy.postgres import EmbeddedPostgres
from deploy.process import LOOPBACK, Command, free_port, spawn, stop, tail
from deploy.secrets import NAMES, password_variable, passwords
from deploy.valkey import EmbeddedValkey
from services.console.actions import keys
from shared import crypto, database, queue, telemetry
from shared.config import Settings

START_TIMEOUT_S = 60.0


@dataclass
class Stack:
    """Servers, a migrated database, and the processes started so far."""

    folder: Path
    around: environment.Surroundings
    processes: list[tuple[Popen[bytes], Command]] = field(default_factory=list)

    def connect(self, service: str | None = None) -> psycopg.Connection[Any]:
        """A connection as a service's own role, or as the owner; autocommit."""
        url = self.around.owner_url
        if service is None:
            return psycopg.connect(url, autocommit=True)
        url = role_url(url, service, self.around.secrets[password_variable(service)])
        return psycopg.connect(url, autocommit=True, options=f"-c search_path={service}")

    def value(self, query: LiteralString) -> Any:
        """The first value of a query, asked as the owner."""
        with self.connect() as connection:
            row = connection.execute(query).fetchone()
        return None if row is None else row[0]

    def url(self, service: str) -> str:
        """Where a service's API listens."""
        return f"http://{LOOPBACK}:{topology.port_of(service, self.around.base_port)}"

    def api(self, service: str, processes: int = 1) -> str:
        """Start a service's API and wait until it is ready; returns its address."""
        role = topology.role(f"{service}-api")
        for _ in range(processes):
            self.start(role, "api", service, "--port", str(topology.port_of(service, self.around.base_port)))
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _is_ready(self.url(service)):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{service} did not start:\n{tail(self.folder / 'roles.log')}")
            time.sleep(0.1)
        return self.url(service)

    def worker(self, name: str, queues: Sequence[str] = (), concurrency: int = 0) -> None:
        """Start the worker role `name`, on its own queues unless others are named."""
        role = topology.role(name)
        chosen = ",".join(queues or role.queues)
        self.start(
            role, "worker", str(role.service), "--queues", chosen, "--concurrency", str(concurrency or role.concurrency)
        )

    def beat(self) -> None:
        """Start the beat."""
        self.start(topology.role("beat"), "beat", "--schedule-file", str(self.folder / "beat"))

    def start(self, role: topology.Role, *arguments: str) -> None:
        """Start one process of a role."""
        env = environment.for_role(self.around, role)
        command = Command([sys.executable, "-m", "deploy", *arguments], env, str(Path.cwd()))
        with (self.folder / "roles.log").open("ab") as log:
            self.processes.append((spawn(command, log), command))

    def end(self) -> None:
        """Stop all processes of roles (the servers stay)."""
        for process, command in reversed(self.processes):
            stop(process, command.stop_signal, 20.0)
        self.processes.clear()

    def key(self, kind: str) -> str:
        """A new API key of this kind."""
        with self.acting("console"):
            return keys.create_key(f"bench {kind}", kind).secret

    @contextmanager
    def acting(self, service: str) -> Iterator[None]:
        """This process as `service`: its use cases and transactions work inside."""
        told = environment.for_service(self.around, service)
        settings = Settings(
            service=service,
            database_url=told["DATABASE_URL"],
            redis_url=told["REDIS_URL"],
            secret_key=told["ZHIKE_SECRET_KEY"],
            data_key=told["ZHIKE_DATA_KEY"],
            public_url=told["ZHIKE_PUBLIC_URL"],
            artifacts_url=told["ZHIKE_ARTIFACTS_URL"],
            service_urls={},
            smtp_url=told["SMTP_URL"],
            log_level="warning",
            pool_size=1,
        )
        telemetry.configure(service, settings.log_level)
        crypto.configure(settings)
        database.configure(settings.database_url, service, 1)
        queue.configure(settings)
        try:
            yield
        finally:
            database.close()


@contextmanager
def running(base_port: int, smtp_url: str = "") -> Iterator[Stack]:
    """Servers and a migrated database in a folder of their own; everything is ended and removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="zhike-bench-"))
    postgres = EmbeddedPostgres(folder / "postgres", free_port(), durable=True)
    valkey = EmbeddedValkey(folder / "valkey", free_port())
    values = {name: secrets.token_urlsafe(32) for name in NAMES}
    stack = None
    try:
        owner_url, redis_url = postgres.start(), valkey.start()
        migrate(owner_url, passwords(values))
        around = environment.Surroundings(
            owner_url=owner_url,
            redis_url=redis_url,
            base_port=base_port,
            secrets=values,
            artifacts=folder / "artifacts",
            public_url=f"http://{LOOPBACK}:{base_port}",
            smtp_url=smtp_url,
        )
        stack = Stack(folder, around)
        yield stack
    except Exception:
        print(tail(folder / "roles.log", 5), file=sys.stderr)
        raise
    finally:
        if stack is not None:
            stack.end()
        valkey.stop()
        cluster = postgres.location()
        postgres.stop()
        shutil.rmtree(cluster.parent, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


def _is_ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/readyz", timeout=3).ok
    except requests.RequestException:
        return False
