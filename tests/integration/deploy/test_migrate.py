"""`zhike migrate`: every service its own role and schemas, exactly the published grants, safe to repeat."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from types import MappingProxyType
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from deploy import migrate
from deploy.migrate import MigrateError, role_url
from shared import contracts
from tests.servers import own

PASSWORDS = {service: f"{service} p/w@1" for service in contracts.SERVICES}
NUMBERS = count(1)
MIGRATION = """
from alembic import op
revision = "{service}_{number:04}"
down_revision = {previous!r}
def upgrade():
    op.execute({statement!r})
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """`write(service, number, sql)` adds a migration to an otherwise empty set of services."""
    monkeypatch.setattr(migrate, "SERVICES_DIR", tmp_path)

    def add(service, number, statement):
        folder = tmp_path / service / "migrations"
        folder.mkdir(parents=True, exist_ok=True)
        previous = f"{service}_{number - 1:04}" if number > 1 else None
        text = MIGRATION.format(service=service, number=number, previous=previous, statement=statement)
        (folder / f"{number:04}_step.py").write_text(text)

    return add


@pytest.fixture
def owner_url(servers):
    """The URL of a database that does not exist yet."""
    url = servers.database_url(f"migrated_{next(NUMBERS)}_")
    name = urlsplit(url).path[1:]
    yield url
    with psycopg.connect(servers.postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def query(url, statement):
    with psycopg.connect(url) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else None


def as_service(owner_url, service, statement):
    return query(role_url(owner_url, service, PASSWORDS[service]), statement)


def test_the_second_run_finds_nothing_to_do(write, owner_url):
    write("profile", 1, "CREATE TABLE customer (id int)")
    assert migrate.migrate(owner_url, PASSWORDS).applied == ["profile_0001"]
    assert migrate.migrate(owner_url, PASSWORDS).applied == []


def test_two_runs_at_once_apply_each_migration_once(write, owner_url):
    for number in range(1, 4):
        write("profile", number, f"SELECT pg_sleep(0.05); CREATE TABLE part_{number} (id int)")
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda _: migrate.migrate(owner_url, PASSWORDS).applied, range(3)))
    assert sorted(map(len, runs)) == [0, 0, 3]


def test_a_migration_cannot_touch_another_services_schema(write, owner_url):
    write("profile", 1, "CREATE TABLE campaign.mine (id int)")
    with pytest.raises(MigrateError, match=r"a migration of profile failed.*permission denied for schema campaign"):
        migrate.migrate(owner_url, PASSWORDS)


def test_a_failed_migration_keeps_those_before_it_and_can_be_mended(write, owner_url):
    write("profile", 1, "CREATE TABLE customer (id int)")
    write("profile", 2, "CREATE TABLE customer (id int)")
    with pytest.raises(MigrateError, match="already exists"):
        migrate.migrate(owner_url, PASSWORDS)
    write("profile", 2, "ALTER TABLE customer ADD name text")
    assert migrate.migrate(owner_url, PASSWORDS).applied == ["profile_0002"]


def test_a_migration_gives_up_on_a_lock_rather_than_stop_everybody_behind_it(write, owner_url):
    write("profile", 1, "CREATE TABLE customer (id int)")
    migrate.migrate(owner_url, PASSWORDS)
    write("profile", 2, "SET lock_timeout TO '50ms'; ALTER TABLE customer ADD name text")
    with psycopg.connect(owner_url) as busy:
        busy.execute("LOCK TABLE profile.customer")
        with pytest.raises(MigrateError, match="lock timeout"):
            migrate.migrate(owner_url, PASSWORDS)
    write("profile", 2, "DO $$ BEGIN ASSERT current_setting('lock_timeout') = '5s'; END $$")
    assert migrate.migrate(owner_url, PASSWORDS).applied == ["profile_0002"]


def test_a_published_view_is_for_those_it_names_and_its_table_for_nobody_else(write, owner_url):
    write("profile", 1, "CREATE TABLE consent AS SELECT 1 AS id")
    write("profile", 2, "CREATE VIEW profile_out.consents_v1 AS SELECT id FROM consent")
    done = migrate.migrate(owner_url, PASSWORDS)
    assert "profile_out.consents_v1" not in done.unpublished
    readers = contracts.PUBLISHED["profile_out.consents_v1"]
    for service in contracts.SERVICES:
        if service in (*readers, "profile"):
            assert as_service(owner_url, service, "SELECT id FROM profile_out.consents_v1") == [(1,)]
        else:
            with pytest.raises(InsufficientPrivilege):
                as_service(owner_url, service, "SELECT id FROM profile_out.consents_v1")
        if service != "profile":
            with pytest.raises(InsufficientPrivilege):
                as_service(owner_url, service, "SELECT id FROM profile.consent")


def test_a_reader_taken_off_the_list_loses_the_view(write, owner_url, monkeypatch):
    write("profile", 1, "CREATE VIEW profile_out.consents_v1 AS SELECT 1 AS id")
    migrate.migrate(owner_url, PASSWORDS)
    fewer = MappingProxyType({**contracts.PUBLISHED, "profile_out.consents_v1": ("campaign",)})
    monkeypatch.setattr(contracts, "PUBLISHED", fewer)
    migrate.migrate(owner_url, PASSWORDS)
    assert as_service(owner_url, "campaign", "SELECT id FROM profile_out.consents_v1") == [(1,)]
    with pytest.raises(InsufficientPrivilege):
        as_service(owner_url, "segmentation", "SELECT id FROM profile_out.consents_v1")


def test_a_grant_made_by_hand_is_taken_back(write, owner_url):
    write("profile", 1, "CREATE TABLE customer (id int)")
    migrate.migrate(owner_url, PASSWORDS)
    role = f"{urlsplit(owner_url).path[1:]}_campaign"
    query(owner_url, f"GRANT USAGE ON SCHEMA profile TO {role}; GRANT ALL ON profile.customer TO {role}")
    migrate.migrate(owner_url, PASSWORDS)
    with pytest.raises(InsufficientPrivilege):
        as_service(owner_url, "campaign", "SELECT id FROM profile.customer")


def test_other_roles_of_the_server_cannot_even_log_in_to_the_database(write, owner_url, servers):
    migrate.migrate(owner_url, PASSWORDS)
    stranger = own("stranger")
    query(servers.postgres_url, f"DROP ROLE IF EXISTS {stranger}")
    query(servers.postgres_url, f"CREATE ROLE {stranger} LOGIN PASSWORD 'x'")
    parts = urlsplit(owner_url)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(urlunsplit(parts._replace(netloc=f"{stranger}:x@{parts.netloc.rpartition('@')[2]}")))
    query(servers.postgres_url, f"DROP ROLE {stranger}")


def test_an_owner_that_is_no_superuser_can_do_it_all(write, owner_url, servers):
    write("profile", 1, "CREATE TABLE customer (id int)")
    landlord = own("landlord")
    query(servers.postgres_url, f"CREATE ROLE {landlord} LOGIN CREATEROLE CREATEDB PASSWORD 'x'")
    parts = urlsplit(owner_url)
    theirs = urlunsplit(parts._replace(netloc=f"{landlord}:x@{parts.netloc.rpartition('@')[2]}"))
    try:
        assert migrate.migrate(theirs, PASSWORDS).applied == ["profile_0001"]
        assert migrate.migrate(theirs, PASSWORDS).applied == []
        assert as_service(theirs, "profile", "SELECT count(*) FROM profile.customer") == [(0,)]
    finally:
        name = parts.path[1:]
        with psycopg.connect(servers.postgres_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            for service in contracts.SERVICES:
                connection.execute(f"DROP ROLE IF EXISTS {name}_{service}")
            connection.execute(f"DROP ROLE {landlord}")


def test_a_new_password_holds_from_the_next_run_on(write, owner_url):
    migrate.migrate(owner_url, PASSWORDS)
    migrate.migrate(owner_url, PASSWORDS | {"profile": "changed"})
    assert query(role_url(owner_url, "profile", "changed"), "SELECT 1") == [(1,)]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        as_service(owner_url, "profile", "SELECT 1")


def test_a_missing_password_is_named(write, owner_url):
    incomplete = {service: word for service, word in PASSWORDS.items() if service != "campaign"}
    with pytest.raises(MigrateError, match="CAMPAIGN_DB_PASSWORD"):
        migrate.migrate(owner_url, incomplete)


def test_a_server_that_is_away_is_said_so(write):
    with pytest.raises(MigrateError, match="cannot be reached"):
        migrate.migrate("postgresql://zhike:x@127.0.0.1:9/zhike", PASSWORDS)
