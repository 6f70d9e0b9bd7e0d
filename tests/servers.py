"""The real servers that tests run against: a PostgreSQL and a Valkey per test worker, and a migrated template."""

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
TEMPLATE = "zhike_template"
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


@contextmanager
def running(folder: Path) -> Iterator[Servers]:
    """Start the servers in `folder`, migrate the template, stop them at the end."""
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
        service_urls={name: f"http://127.0.0.1:{9000 + offset}" for name, offset in SERVICE_PORTS.items()},
        smtp_url="smtp://127.0.0.1:9",
        log_level="info",
        pool_size=4,
    )


def _with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
