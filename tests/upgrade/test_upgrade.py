"""The data of each earlier release come up under today's code: nothing lost, and every API works on them."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from deploy import migrate
from deploy.backup import archive, restoring, snapshot
from deploy.backup.place import Place
from deploy.home import Home
from services.profile.actions import append
from shared import contracts
from shared.config import Settings
from tests import servers as test_servers
from tests.conftest import Servers, configure
from tests.servers import TEMPLATE, Database
from tests.upgrade.keys import KEYS

DUMPS = sorted((Path(__file__).parent / "dumps").glob("*.zip"))
# Rows that later migrations bring into tables of the dump: the version of the slots.
BROUGHT = {"recommend.log_head": 1}


class Upgraded(NamedTuple):
    """A database restored from a dump and brought up to date; `before`: what the dump says was in it."""

    database: Database
    artifacts: Path
    before: archive.Manifest
    done: restoring.Restored
    redis_url: str

    def settings(self, service: str) -> Settings:
        return test_servers.settings(service, self.database, self.redis_url, self.artifacts)

    def value(self, query: str) -> Any:
        with psycopg.connect(self.database.owner_url) as owner:
            row = owner.execute(query).fetchone()  # type: ignore[arg-type]
        return row[0] if row else None


@pytest.fixture(scope="module", params=DUMPS, ids=lambda path: path.stem)
def upgraded(request: pytest.FixtureRequest, servers: Servers, tmp_path_factory: Any) -> Iterator[Upgraded]:
    folder = tmp_path_factory.mktemp("upgrade")
    url = urlsplit(servers.postgres_url)
    database = Database(urlunsplit(url._replace(path=f"/upgrade_{request.param.stem.replace('.', '_')}")))
    reader = archive.Reader(request.param)
    reader.verify()
    assert restoring.check(reader, KEYS) == []
    place = Place(Home(folder), database.owner_url, "", f"file://{folder / 'artifacts'}", KEYS)
    done = restoring.restore(reader, place, role_prefix=TEMPLATE)
    yield Upgraded(database, folder / "artifacts", reader.manifest, done, servers.redis_url)
    servers.drop(database)


def test_there_is_a_dump_with_something_in_every_table_of_its_time() -> None:
    assert DUMPS
    for path in DUMPS:
        rows = archive.Reader(path).manifest.rows()
        assert [table for table, count in rows.items() if not count] == []


def test_todays_migrations_lead_from_there_to_here(upgraded: Upgraded) -> None:
    with snapshot.connect(upgraded.database.owner_url) as connection:
        heads = snapshot.heads(connection)
    assert heads == {service: migrate.newest_revision(service) for service in contracts.SERVICES}
    assert set(upgraded.done.applied) == {
        revision
        for service in contracts.SERVICES
        for revision in migrate.known_revisions(service)
        if revision > upgraded.before.heads[service]
    }


def test_no_migration_loses_or_doubles_a_row(upgraded: Upgraded) -> None:
    after: dict[str, int] = {}
    with snapshot.connect(upgraded.database.owner_url) as connection:
        for table in snapshot.tables(connection):
            row = connection.execute(f"SELECT count(*) AS n FROM {table.schema}.{table.name}").fetchone()
            name = f"{table.schema}.{table.parent or table.name}"
            after[name] = after.get(name, 0) + row["n"]
    before = upgraded.before.rows()
    expected = {name: count + BROUGHT.get(name, 0) for name, count in before.items()}
    assert {name: after.get(name) for name in before} == expected


@pytest.fixture
def api(upgraded: Upgraded) -> Iterator[Any]:
    """Requests to a service on the upgraded database, with an admin's key."""
    configure(upgraded.settings("console"))
    secret = import_module("services.console.actions.keys").create_key("upgrade", "admin").secret

    def get(service: str, path: str, method: str = "GET", **options: Any) -> Any:
        settings = upgraded.settings(service)
        configure(settings)
        client = import_module(f"services.{service}.app").create_app(settings).test_client()
        reply = client.open(path, method=method, headers={"Authorization": f"Bearer {secret}"}, **options)
        assert reply.status_code < 300, f"{method} {path}: {reply.status_code} {reply.get_data(as_text=True)[:500]}"
        return reply.json

    yield get
    from shared import database

    database.close()


LISTS = [
    ("profile", "/v1/customers"),
    ("profile", "/v1/rejected-events"),
    ("profile", "/v1/merges"),
    ("segmentation", "/v1/segments"),
    ("segmentation", "/v1/recompute"),
    ("recommend", "/v1/items"),
    ("recommend", "/v1/models"),
    ("campaign", "/v1/templates"),
    ("campaign", "/v1/campaigns"),
    ("campaign", "/v1/suppressions"),
]


@pytest.mark.parametrize(("service", "path"), LISTS, ids=lambda value: str(value).strip("/"))
def test_what_was_there_is_listed(api: Any, service: str, path: str) -> None:
    assert api(service, path)["items"]


def test_sealed_fields_still_open(api: Any, upgraded: Upgraded) -> None:
    customer = upgraded.value("SELECT customer_id FROM profile.customer WHERE email IS NOT NULL LIMIT 1")
    assert "@customers.example" in str(api("profile", f"/v1/customers/{customer}"))


def test_an_event_that_waited_in_the_intake_gets_the_next_position(upgraded: Upgraded) -> None:
    head = upgraded.value("SELECT position FROM profile.log_head")
    configure(upgraded.settings("profile"))
    assert append.drain() == 1
    assert upgraded.value("SELECT max(position) FROM profile.event_log") == head + 1


def test_the_model_of_that_time_recommends(upgraded: Upgraded, api: Any) -> None:
    settings = upgraded.settings("recommend")
    import_module("services.recommend.artifacts.models").configure(settings.artifacts_url)
    person = upgraded.value("SELECT user_id FROM profile_out.customers_v1 WHERE user_id LIKE 'guest-5-%'")
    found = api("recommend", "/v1/recommendations", "POST", json={"user_id": person, "n": 3})
    assert found["personal"]
    assert len(found["items"]) == 3
