"""Postgres itself keeps the services apart: each logs in as its own role and is tried on everything of the others."""

from itertools import permutations

import psycopg
import pytest
from psycopg import sql

from shared import contracts
from tests.conftest import Servers
from tests.servers import Database

PAIRS = list(permutations(contracts.SERVICES, 2))
ATTEMPTS = {
    "read": "SELECT 1 FROM {} LIMIT 1",
    "add to": "INSERT INTO {} DEFAULT VALUES",
    "empty": "DELETE FROM {}",
    "truncate": "TRUNCATE {}",
    "change the shape of": "ALTER TABLE {} ADD COLUMN intruder text",
    "drop": "DROP TABLE {}",
}


@pytest.fixture(scope="module")
def database(servers: Servers) -> Database:
    return servers.clone()


def relations(database: Database, schema: str, kinds: str) -> list[str]:
    """Names in a schema by pg_class.relkind (r table, p partitioned, v view, m materialised, S sequence)."""
    with psycopg.connect(database.owner_url) as owner:
        rows = owner.execute(
            """
            SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = %(schema)s AND c.relkind = ANY(string_to_array(%(kinds)s, NULL)) ORDER BY 1
            """,
            {"schema": schema, "kinds": kinds},
        ).fetchall()
    return [name for (name,) in rows]


def is_refused(connection: psycopg.Connection, statement: str, name: sql.Composable) -> bool:
    """Whether Postgres answers "permission denied" (or "must be owner"), whatever else the statement would do."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(sql.SQL(statement).format(name))  # type: ignore[arg-type]
    except psycopg.errors.InsufficientPrivilege:
        return True
    except psycopg.Error:
        return False
    return False


@pytest.mark.parametrize(("intruder", "owner"), PAIRS)
def test_a_service_is_refused_on_every_table_of_another(database: Database, intruder: str, owner: str) -> None:
    tables = relations(database, owner, "rpvm")
    assert tables, f"{owner} has no tables: was it migrated?"
    with psycopg.connect(database.url(intruder)) as connection:
        let_in = [
            f"{intruder} may {deed} {owner}.{table}"
            for table in tables
            for deed, statement in ATTEMPTS.items()
            if not is_refused(connection, statement, sql.Identifier(owner, table))
        ]
    assert let_in == []


@pytest.mark.parametrize(("intruder", "owner"), PAIRS)
def test_a_service_reads_exactly_the_published_views_that_the_contract_names(
    database: Database, intruder: str, owner: str
) -> None:
    published = relations(database, f"{owner}_out", "rpvm")
    promised = {view for view, readers in contracts.PUBLISHED.items() if intruder in readers}
    with psycopg.connect(database.url(intruder)) as connection:
        readable = {
            f"{owner}_out.{view}"
            for view in published
            if not is_refused(connection, ATTEMPTS["read"], sql.Identifier(f"{owner}_out", view))
        }
    role = psycopg.conninfo.conninfo_to_dict(database.url(intruder))["user"]
    with psycopg.connect(database.owner_url) as owner_connection:
        writable = [
            view
            for view in published
            if owner_connection.execute(
                "SELECT has_table_privilege(%(role)s, %(view)s, 'INSERT, UPDATE, DELETE, TRUNCATE')",
                {"role": role, "view": f"{owner}_out.{view}"},
            ).fetchone()
            == (True,)
        ]
    assert readable == {view for view in promised if view.startswith(f"{owner}_out.")}
    assert writable == []


@pytest.mark.parametrize(("intruder", "owner"), PAIRS)
def test_a_service_can_make_nothing_in_the_schemas_of_another(database: Database, intruder: str, owner: str) -> None:
    with psycopg.connect(database.url(intruder)) as connection:
        for schema in (owner, f"{owner}_out", "public"):
            assert is_refused(connection, "CREATE TABLE {} (x int)", sql.Identifier(schema, "intruder")), schema


@pytest.mark.parametrize("service", contracts.SERVICES)
def test_a_service_cannot_become_another_nor_the_owner(database: Database, service: str) -> None:
    with psycopg.connect(database.owner_url) as owner:
        roles = [name for (name,) in owner.execute("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'").fetchall()]
    own = psycopg.conninfo.conninfo_to_dict(database.url(service))["user"]
    with psycopg.connect(database.url(service)) as connection:
        taken = [
            role for role in roles if role != own and not is_refused(connection, "SET ROLE {}", sql.Identifier(role))
        ]
    assert taken == []


def test_every_published_view_of_the_contract_exists(database: Database) -> None:
    found = {
        f"{service}_out.{view}" for service in contracts.SERVICES for view in relations(database, f"{service}_out", "v")
    }
    assert set(contracts.PUBLISHED) <= found
