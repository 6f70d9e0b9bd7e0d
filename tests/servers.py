"""The real servers that tests run against, and a migrated template in them.

A PostgreSQL and a Valkey of each test worker's own; or, where TEST_DATABASE_URL (a superuser's) and TEST_REDIS_URL
name servers, those: then each worker has database names, roles and Redis databases of its own on them.
"""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from deploy.migrate import migrate, role_url
from deploy.postgres import EmbeddedPostgres
from deploy.valkey import EmbeddedValkey
from shared import contracts
from shared.config import SERVICE_PORTS, Settings

PASSWORDS = {service: f"test-{service}" for service in contracts.SERVICES}
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
TEMPLATE = f"zhike_template{WORKER}"
GIVEN_POSTGRES, GIVEN_REDIS = os.environ.get("TEST_DATABASE_URL", ""), os.environ.get("TEST_REDIS_URL", "")
REDIS_DATABASES_A_WORKER = 3  # of the 16 that a stock server has; the last is the journeys'
JOURNEYS_REDIS_DATABASE = 15
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Database:
    """One database of the test server, by its owner's URL; its roles are those of the template."""

    owner_url: str

    def url(self, service: str) -> str:
        """The URL with which `service` logs in as its own role."""
        return role_url(self.owner_url, service, PASSWORDS[service], role_prefix=TEMPLATE)


@dataclass
class Servers:
    """The running servers. `template` is migrated once; each clone of it starts where it ended."""

    postgres_url: str
    redis_url: str
    clones: list[str] = field(default_factory=list)

    @property
    def template(self) -> Database:
        """The migrated template database (connect to it only in passing: a template must be idle to be cloned)."""
        return Database(_with_database(self.postgres_url, TEMPLATE))

    def database_url(self, name: str) -> str:
        """The owner's URL of a database of this worker's own, which need not exist yet."""
        return _with_database(self.postgres_url, own(name))

    def redis(self, number: int) -> str:
        """The URL of one of this worker's own Redis databases; 0 is that of `redis_url`."""
        if not 0 <= number < REDIS_DATABASES_A_WORKER:
            raise ValueError(f"a test worker has {REDIS_DATABASES_A_WORKER} Redis databases")
        first = int(urlsplit(self.redis_url).path.lstrip("/"))
        return _with_database(self.redis_url, str(first + number))

    def clone(self) -> Database:
        """A new database, a copy of the template."""
        name = f"zhike_clone_{os.getpid()}_{next(_numbers)}"
        with psycopg.connect(self.postgres_url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(TEMPLATE))
            )
        return Database(_with_database(self.postgres_url, name))

    def drop(self, database: Database) -> None:
        """Remove a clone, whoever is still connected."""
        name = urlsplit(database.owner_url).path.lstrip("/")
        with psycopg.connect(self.postgres_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def own(name: str) -> str:
    """A database's or role's name that no other test worker uses."""
    return f"{name}{WORKER}"


@contextmanager
def running(folder: Path) -> Iterator[Servers]:
    """The servers with a migrated template: given ones, or embedded ones in `folder` that stop at the end."""
    if GIVEN_POSTGRES and GIVEN_REDIS:
        first = int(WORKER.removeprefix("gw") or 0) * REDIS_DATABASES_A_WORKER
        if first + REDIS_DATABASES_A_WORKER > JOURNEYS_REDIS_DATABASE:
            raise ValueError("too many test workers for the 16 databases of one Redis")
        servers = Servers(GIVEN_POSTGRES, _with_database(GIVEN_REDIS, str(first)))
        migrate(servers.template.owner_url, PASSWORDS)
        yield servers
        return
    postgres, valkey = EmbeddedPostgres(folder / "postgres"), EmbeddedValkey(folder / "valkey")
    postgres.start()
    try:
        valkey.start()
        servers = Servers(postgres.url, valkey.url)
        migrate(servers.template.owner_url, PASSWORDS)
        yield servers
    finally:
        valkey.stop()
        postgres.stop()


def settings(service: str, database: Database, redis_url: str, artifacts: Path) -> Settings:
    """What a process of `service` would read from its environment, for these servers."""
    return Settings(
        service=service,
        database_url=database.url(service),
        redis_url=redis_url,
        secret_key="a secret key of the tests, 32 characters and more",
        data_key="a data key of the tests, also 32 characters and more",
        public_url="http://127.0.0.1:9",
        artifacts_url=f"file://{artifacts}",
        service_urls={name: f"http://127.0.0.1:{offset}" for name, offset in SERVICE_PORTS.items()},  # nobody listens
        smtp_url="smtp://127.0.0.1:9",
        log_level="info",
        pool_size=4,
    )


def _with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
