"""Fixtures: real servers, a connection whose work is rolled back after each test, the services' APIs and transactions.

`<service>_tx` and `<service>_api` of one test share one connection and see each other's uncommitted rows, each as its
service's own Postgres role. What must commit (several connections, crashes) takes `database_clone`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from shared import auth, client, crypto, database, queue, shop
from shared.config import Settings
from shared.database import Transaction
from tests import servers as test_servers
from tests.servers import TEMPLATE, Database, Servers


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """PostgreSQL and Valkey of this test worker."""
    with test_servers.running(tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest.fixture(scope="session")
def shared_database(servers: Servers) -> Database:
    """The clone in which tests that roll back work."""
    return servers.clone()


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where models of this test worker are published."""
    return tmp_path_factory.mktemp("artifacts")


class Services:
    """The services inside one rolled-back transaction: each acts as its own Postgres role."""

    def __init__(self, connection: psycopg.Connection[Any], settings: Callable[[str], Settings]) -> None:
        self._connection, self.settings = connection, settings
        self._keys: dict[str, str] = {}

    @contextmanager
    def acting(self, service: str) -> Iterator[None]:
        """Everything inside runs as `service`: its role, its schema, its settings."""
        configure(self.settings(service))
        with database.using(self.connection_as(service)):
            yield

    def connection_as(self, service: str) -> psycopg.Connection[Any]:
        """The connection, with the role and the schema of `service` from here on."""
        self._connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(f"{TEMPLATE}_{service}")))
        self._connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(service)))
        return self._connection

    def transaction(self, service: str) -> Transaction:
        """A transaction of `service` that stays open all the test, whatever other services do in between."""
        configure(self.settings(service))
        return _RoleTransaction(self, service)

    def key(self, kind: str) -> str:
        """An API key of this kind."""
        if kind not in self._keys:
            keys = import_module("services.console.actions.keys")
            with self.acting("console"):
                self._keys[kind] = keys.create_key(f"test {kind}", kind).secret
        return self._keys[kind]

    def api(self, service: str) -> "ServiceApi":
        """The Flask test client of `service`."""
        app = import_module(f"services.{service}.app").create_app(self.settings(service))
        return ServiceApi(self, service, app.test_client())


class _RoleTransaction(Transaction):
    """A transaction that takes its service's role again before each statement."""

    def __init__(self, services: Services, service: str) -> None:
        self._services, self._service = services, service
        super().__init__(services.connection_as(service))

    @property
    def connection(self) -> psycopg.Connection[Any]:
        return self._services.connection_as(self._service)

    @connection.setter
    def connection(self, _given: psycopg.Connection[Any]) -> None: ...


class ServiceApi:
    """A Flask test client that sends a key (admin unless said) and acts as its service."""

    def __init__(self, services: Services, service: str, client: Any, kind: str | None = "admin") -> None:
        self._services, self.service, self._client, self._kind = services, service, client, kind

    def as_key(self, kind: str | None) -> "ServiceApi":
        """The same API with another kind of key, or with none."""
        return ServiceApi(self._services, self.service, self._client, kind)

    def open(self, path: str, **options: Any) -> Any:
        """One request; options as for Flask's test client."""
        headers = dict(options.pop("headers", None) or {})
        if self._kind is not None:
            headers.setdefault("Authorization", f"Bearer {self._services.key(self._kind)}")
        with self._services.acting(self.service):
            return self._client.open(path, headers=headers, **options)

    def get(self, path: str, **options: Any) -> Any:
        return self.open(path, method="GET", **options)

    def post(self, path: str, **options: Any) -> Any:
        return self.open(path, method="POST", **options)

    def put(self, path: str, **options: Any) -> Any:
        return self.open(path, method="PUT", **options)

    def patch(self, path: str, **options: Any) -> Any:
        return self.open(path, method="PATCH", **options)

    def delete(self, path: str, **options: Any) -> Any:
        return self.open(path, method="DELETE", **options)


def configure(settings: Settings) -> None:
    """Point the plumbing of this process at one service, as its app.py would."""
    crypto.configure(settings)
    database.configure(settings.database_url, settings.service, settings.pool_size)
    queue.configure(settings)
    client.configure(settings)
    auth.forget_keys()
    shop.forget()


@pytest.fixture
def services(servers: Servers, shared_database: Database, artifacts: Path) -> Iterator[Services]:
    """All services on one connection that is rolled back at the end."""

    def settings(service: str) -> Settings:
        return test_servers.settings(service, shared_database, servers.redis_url, artifacts)

    with psycopg.connect(shared_database.owner_url, row_factory=dict_row) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        connection.commit()
        with connection.transaction(force_rollback=True):
            yield Services(connection, settings)
        database.close()


@pytest.fixture
def database_clone(servers: Servers, artifacts: Path) -> Iterator[Callable[[str], Settings]]:
    """A database of the test's own, where commits stay: `database_clone("profile")` gives a service's settings on it.

    The last call also configures this process; other processes and connections use `.database_url` of the settings.
    """
    clone = servers.clone()

    def settings(service: str) -> Settings:
        chosen = test_servers.settings(service, clone, servers.redis_url, artifacts)
        configure(chosen)
        return chosen

    yield settings
    database.close()
    servers.drop(clone)


def _tx_fixture(service: str) -> Any:
    @pytest.fixture(name=f"{service}_tx")
    def fixture(services: Services) -> Transaction:
        return services.transaction(service)

    return fixture


def _api_fixture(service: str) -> Any:
    @pytest.fixture(name=f"{service}_api")
    def fixture(services: Services) -> ServiceApi:
        return services.api(service)

    return fixture


profile_tx, profile_api = _tx_fixture("profile"), _api_fixture("profile")
segmentation_tx, segmentation_api = _tx_fixture("segmentation"), _api_fixture("segmentation")
recommend_tx, recommend_api = _tx_fixture("recommend"), _api_fixture("recommend")
campaign_tx, campaign_api = _tx_fixture("campaign"), _api_fixture("campaign")
console_tx, console_api = _tx_fixture("console"), _api_fixture("console")


def pytest_unconfigure(config: pytest.Config) -> None:
    """The last line of a run says how many browser tests could not run, so that a green run does not hide it."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    skipped = sum("/browser/" in report.nodeid for report in reporter.stats.get("skipped", ()))
    if skipped:
        print(f"browser tests skipped, no Chromium here: {skipped}")
