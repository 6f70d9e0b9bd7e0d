"""Roles, schemas, migrations and grants: what makes one database a house of several services.

Every service has a Postgres role `<database>_<service>` that owns the schemas `<service>` and `<service>_out`. Its
migrations run as that role, so that they can touch nothing else. When all have run, the views of
shared.contracts.PUBLISHED are granted to exactly the roles named there. Safe to repeat, and when two run at once.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from shared import contracts

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

SERVICES_DIR = Path(__file__).resolve().parent.parent / "services"
OLDEST_SERVER = 150000
LOCK = 0x7A68696B65  # "zhike"


class MigrateError(RuntimeError):
    """The database cannot be brought up to date; the message says what a person can do."""


@dataclass(frozen=True)
class Migrated:
    """What a run did: the revisions it applied, and published views that no service has made yet."""

    applied: list[str] = field(default_factory=list)
    unpublished: list[str] = field(default_factory=list)


def migrate(
    owner_url: str,
    passwords: Mapping[str, str],
    role_prefix: str | None = None,
    revisions: Mapping[str, str] | None = None,
) -> Migrated:
    """Bring the database behind `owner_url` up to date; makes it when it is missing and the owner may.

    `passwords`: service name -> password of its role. The owner is a superuser, or has CREATEROLE and owns the
    database. `role_prefix` replaces the database's name in role names (a database copied from a template keeps
    the template's roles). `revisions` stops each service at the one named (to restore a backup of that time).
    Raises MigrateError.
    """
    with _owner(owner_url) as connection:
        roles = {service: f"{role_prefix or connection.info.dbname}_{service}" for service in contracts.SERVICES}
        # Held until the connection closes: a second run waits here and then finds nothing to do.
        connection.execute("SELECT pg_advisory_lock(%(lock)s)", {"lock": LOCK})
        with connection.transaction():
            for service, role in roles.items():
                _ensure_role(connection, service, role, passwords.get(service))
                _ensure_schemas(connection, service, role)
            _close_to_strangers(connection, list(roles.values()))
        to = revisions or {}
        applied = [
            revision
            for service, role in roles.items()
            for revision in _upgrade(owner_url, service, role, to.get(service, "heads"))
        ]
        with connection.transaction():
            unpublished = _grant_published(connection, roles)
    return Migrated(applied, unpublished)


def role_url(owner_url: str, service: str, password: str, role_prefix: str | None = None) -> str:
    """The URL with which a service logs in as its own role to the owner's database."""
    parts = urlsplit(owner_url)
    database = parts.path.lstrip("/") or parts.username or ""
    user = quote(f"{role_prefix or database}_{service}", safe="")
    address = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{address}", path=f"/{database}"))


@contextmanager
def _owner(owner_url: str) -> Iterator[psycopg.Connection]:
    try:
        connection = psycopg.connect(owner_url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError:
        create_database(owner_url)  # or another run has, since we asked
        try:
            connection = psycopg.connect(owner_url, autocommit=True, connect_timeout=10)
        except psycopg.OperationalError as error:
            raise MigrateError(f"the database cannot be reached: {error}") from error
    with connection:
        if connection.info.server_version < OLDEST_SERVER:
            raise MigrateError("PostgreSQL 15 or newer is needed")
        try:
            yield connection
        except psycopg.errors.InsufficientPrivilege as error:
            raise MigrateError(
                f"{connection.info.user} must be a superuser, or have CREATEROLE and own the database: {error}"
            ) from error


def create_database(owner_url: str) -> None:
    """Make the database the URL names, if only that is missing; whoever connects to it next is told what else is."""
    parts = urlsplit(owner_url)
    # Another run may be quicker (a duplicate), or the server may not be there at all.
    with suppress(psycopg.Error), psycopg.connect(urlunsplit(parts._replace(path="/postgres")), autocommit=True) as own:
        name = parts.path.lstrip("/") or own.info.user
        if own.execute("SELECT 1 FROM pg_database WHERE datname = %(name)s", {"name": name}).fetchone() is None:
            own.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _ensure_role(connection: psycopg.Connection, service: str, role: str, password: str | None) -> None:
    exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %(role)s", {"role": role}).fetchone()
    name = sql.Identifier(role)
    if not exists:
        if password is None:
            raise MigrateError(f"role {role} needs a password: set {service.upper()}_DB_PASSWORD")
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
    if password is not None:
        # The verifier, not the password: statements end up in the server's log.
        verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
        connection.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(name, sql.Literal(verifier)))
    # An owner that is no superuser may administer the roles it made, but becomes them only as a member.
    privilege = "SET" if connection.info.server_version >= 160000 else "MEMBER"
    may_become = connection.execute(
        "SELECT pg_has_role(%(role)s, %(privilege)s)", {"role": role, "privilege": privilege}
    ).fetchone()
    if not (may_become and may_become[0]):
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(name))


def _ensure_schemas(connection: psycopg.Connection, service: str, role: str) -> None:
    for schema in (service, f"{service}_out"):
        statement = sql.SQL("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}")
        connection.execute(statement.format(sql.Identifier(schema), sql.Identifier(role)))


def _close_to_strangers(connection: psycopg.Connection, roles: list[str]) -> None:
    """Only our roles may log in to this database, and nobody may create anything outside their schemas."""
    database = sql.Identifier(connection.info.dbname)
    everyone = sql.SQL(", ").join(map(sql.Identifier, roles))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    connection.execute(sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
    connection.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(database, everyone))


def known_revisions(service: str) -> set[str]:
    """The revisions this release has for a service."""
    script, _ = _script(service)
    return {revision.revision for revision in script.walk_revisions()}


def newest_revision(service: str) -> str | None:
    """The revision this release brings a service's schema to."""
    return _script(service)[0].get_current_head()


def _script(service: str) -> "tuple[ScriptDirectory, Config]":
    # Half a second of imports that callers of role_url() need not wait for.
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    folder = str(SERVICES_DIR / service / "migrations")
    config = Config()
    config.set_main_option("script_location", folder)
    config.set_main_option("version_locations", folder)
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config), config


def _upgrade(owner_url: str, service: str, role: str, to: str) -> list[str]:
    """Run a service's new migrations up to `to` as its role, one transaction each; returns their revision ids."""
    if not (SERVICES_DIR / service / "migrations").is_dir():
        return []
    import sqlalchemy
    from alembic.runtime.environment import EnvironmentContext
    from alembic.util.exc import CommandError

    script, config = _script(service)
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: _as_role(owner_url, service, role), poolclass=sqlalchemy.pool.NullPool
    )
    applied: list[str] = []
    context = EnvironmentContext(config, script, fn=lambda revision, _: script._upgrade_revs(to, revision))
    with context, engine.connect() as connection:
        context.configure(
            connection=connection,
            version_table_schema=service,
            transaction_per_migration=True,
            on_version_apply=lambda step, **_: applied.append(step.up_revision_id),
        )
        try:
            with context.begin_transaction():
                context.run_migrations()
        except sqlalchemy.exc.DBAPIError as error:
            raise MigrateError(f"a migration of {service} failed, earlier ones are kept: {error.orig}") from error
        except CommandError as error:
            raise MigrateError(f"the migrations of {service} do not form one line: {error}") from error
    return applied


def _as_role(owner_url: str, service: str, role: str) -> psycopg.Connection:
    connection = psycopg.connect(owner_url)
    with connection.transaction():
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(service)))
        # A migration that waits for a lock makes everybody behind it wait too: give up soon, run again later.
        connection.execute("SET lock_timeout TO '5s'")
        connection.execute("SET statement_timeout TO '15min'")
    return connection


def _grant_published(connection: psycopg.Connection, roles: Mapping[str, str]) -> list[str]:
    """Give each reader exactly the views of contracts.PUBLISHED; returns those that do not exist yet."""
    unpublished = []
    for service, role in roles.items():
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
        own, out = sql.Identifier(service), sql.Identifier(f"{service}_out")
        others = sql.SQL(", ").join(sql.Identifier(other) for name, other in roles.items() if name != service)
        connection.execute(sql.SQL("REVOKE ALL ON SCHEMA {}, {} FROM PUBLIC, {}").format(own, out, others))
        for kind in ("TABLES", "SEQUENCES", "FUNCTIONS"):
            statement = sql.SQL("REVOKE ALL ON ALL {} IN SCHEMA {}, {} FROM PUBLIC, {}")
            connection.execute(statement.format(sql.SQL(kind), own, out, others))
        for view, readers in contracts.PUBLISHED.items():
            schema, name = view.split(".")
            if schema != f"{service}_out":
                continue
            if connection.execute("SELECT to_regclass(%(view)s) IS NULL", {"view": view}).fetchone() == (True,):
                unpublished.append(view)
                continue
            names = sql.SQL(", ").join(sql.Identifier(roles[reader]) for reader in readers)
            connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(out, names))
            connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(sql.Identifier(schema, name), names))
    return unpublished
