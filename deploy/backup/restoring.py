"""From a backup to an installation.

What the database held is set aside, not removed, until the restored rows have been compared with the backup byte for
byte; whatever fails before is undone, and a restore that was killed is undone by the next one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from deploy import migrate, secrets
from deploy.backup import models, snapshot
from deploy.backup.archive import Reader
from deploy.backup.place import KEYS, Place, fingerprint
from deploy.backup.snapshot import Table
from services.campaign.actions import restored
from shared import contracts, database

SCHEMAS: Final = tuple(f"{service}{ending}" for service in contracts.SERVICES for ending in ("", "_out"))
ASIDE: Final = "_before_restore"
# What a platform has before anybody has used it: seeds of the migrations, positions, the first sweeps' own rows.
UNUSED: Final = frozenset(
    {
        *("profile.log_head", "segmentation.log_head", "recommend.log_head"),
        *("segmentation.log_cursor", "recommend.log_cursor", "campaign.log_cursor"),
        *("segmentation.recompute_job", "segmentation.score_basis", "recommend.training", "recommend.slot"),
        *("campaign.sending_policy", "console.shop", "console.access_policy", "console.login_attempt"),
        "console.sample_shop",
    }
)


class RestoreError(RuntimeError):
    """The backup cannot be restored here; the message says why, and nothing was changed."""


@dataclass(frozen=True)
class Restored:
    """What a restore did. `paused`: names of campaigns that a person has to let go on."""

    rows: dict[str, int]
    models: int
    applied: list[str]
    paused: list[str]


def check(reader: Reader, values: "dict[str, str]") -> list[str]:
    """Whether this release and these keys fit the backup; returns warnings. Raises RestoreError."""
    for service, revision in reader.manifest.heads.items():
        if service not in contracts.SERVICES or revision not in migrate.known_revisions(service):
            raise RestoreError(
                f"the backup is of release {reader.manifest.release}, whose {service} is at {revision}, which this "
                "release does not know: use that release or a newer one"
            )
    data_key, secret_key = (
        reader.manifest.secrets.get(name) not in (None, fingerprint(values.get(name, ""))) for name in KEYS
    )
    if data_key:
        raise RestoreError(
            "ZHIKE_DATA_KEY is not the key of this backup: no address, number or name in it could be read. Bring back "
            "the key (secrets.env of that installation) and try again"
        )
    if not secret_key:
        return []
    return ["ZHIKE_SECRET_KEY is another one than the backup's: links in messages already sent no longer work"]


def restore(
    reader: Reader,
    place: Place,
    *,
    force: bool = False,
    role_prefix: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Restored:
    """Make the installation what it was. The archive has been verified and checked.

    `force` replaces an installation that is in use. Raises RestoreError, ArchiveError, MigrateError, SnapshotError.
    """
    passwords = secrets.passwords(place.secrets)
    manifest = reader.manifest
    # Makes the database and the roles where they are missing; an older schema in it is brought up to date.
    with snapshot.connect(_made(place.owner_url)) as connection:
        recover(connection)
        _refuse_company(connection)
        used = in_use(connection)
        if used and not force:
            raise RestoreError(
                f"this installation is in use ({', '.join(used[:5])}): --force puts the backup in its place"
            )
        with _set_aside(connection):
            say("making the schema of that time …")
            migrate.migrate(place.owner_url, passwords, role_prefix, manifest.heads)
            with connection.transaction():
                rows = _fill(connection, reader, say)
                models.register(connection, manifest.models, place.artifacts_url)
                paused = _pause(connection)
                count = models.put_back(reader, place.artifacts_url)
        say("bringing it up to date …")
        applied = migrate.migrate(place.owner_url, passwords, role_prefix).applied
        for table in snapshot.tables(connection):
            connection.execute(sql.SQL("ANALYZE {}").format(table.identifier))
    return Restored(rows, count, applied, paused)


def _made(owner_url: str) -> str:
    try:
        psycopg.connect(owner_url, connect_timeout=10).close()
    except psycopg.OperationalError:
        migrate.create_database(owner_url)
    return owner_url


def in_use(connection: psycopg.Connection[Any]) -> list[str]:
    """Tables that hold what somebody would miss."""
    return [
        name
        for table in snapshot.tables(connection)
        if (name := f"{table.schema}.{table.name}") not in UNUSED
        and connection.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(table.identifier)).fetchone()
    ]


def recover(connection: psycopg.Connection[Any]) -> bool:
    """Undo a restore that was killed: what it had set aside comes back. Whether there was one."""
    aside = [schema for schema in SCHEMAS if _exists(connection, schema + ASIDE)]
    if not aside:
        return False
    with connection.transaction():
        for schema in SCHEMAS:
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))
        for schema in aside:
            _rename(connection, schema + ASIDE, schema)
    return True


@contextmanager
def _set_aside(connection: psycopg.Connection[Any]) -> Iterator[None]:
    present = [schema for schema in SCHEMAS if _exists(connection, schema)]
    with connection.transaction():
        for schema in present:
            _rename(connection, schema, schema + ASIDE)
    try:
        yield
    except BaseException:
        if not connection.closed and not recover(connection):
            with connection.transaction():
                for schema in SCHEMAS:
                    connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))
        raise
    with connection.transaction():
        for schema in present:
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema + ASIDE)))


def _rename(connection: psycopg.Connection[Any], before: str, after: str) -> None:
    statement = sql.SQL("ALTER SCHEMA {} RENAME TO {}")
    connection.execute(statement.format(sql.Identifier(before), sql.Identifier(after)))


def _exists(connection: psycopg.Connection[Any], schema: str) -> bool:
    found = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %(schema)s", {"schema": schema})
    return found.fetchone() is not None


def _refuse_company(connection: psycopg.Connection[Any]) -> None:
    """Nobody may write while the rows come in."""
    row = connection.execute(
        """
        SELECT string_agg(DISTINCT application_name, ', ') AS names FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name ~ '^zhike-'
        """
    ).fetchone()
    if row is not None and row["names"]:
        raise RestoreError(f"roles of the platform are connected ({row['names']}): stop them all first")


def _fill(connection: psycopg.Connection[Any], reader: Reader, say: Callable[[str], None]) -> dict[str, int]:
    """All rows and sequences, each table compared with the backup. Raises RestoreError."""
    told = [(Table.told(table), table["member"]) for table in reader.manifest.tables]
    for table, _ in told:
        _make_partition(connection, table)
    made = {(table.schema, table.name): table for table in snapshot.tables(connection)}
    if strange := [f"{t.schema}.{t.name}" for t, _ in told if not t.fits(made.get((t.schema, t.name)))]:
        raise RestoreError(f"these tables are not as the backup describes them: {', '.join(strange)}")
    for table in reversed(list(made.values())):  # what migrations put in
        connection.execute(sql.SQL("DELETE FROM {}").format(table.identifier))
    for table, member in told:
        say(f"{table.schema}.{table.name}: {reader.member(member).rows} rows")
        _fill_table(connection, reader, table, member)
    for sequence in reader.manifest.sequences:
        name = sql.Identifier(sequence["schema"], sequence["name"]).as_string(connection)
        connection.execute("SELECT setval(%(name)s, %(value)s)", {"name": name, "value": sequence["value"]})
    return reader.manifest.rows()


def _make_partition(connection: psycopg.Connection[Any], table: Table) -> None:
    if table.parent is None or table.bound is None:
        return
    owner = connection.execute(
        "SELECT pg_get_userbyid(relowner) AS name FROM pg_class WHERE oid = %(parent)s::regclass",
        {"parent": sql.Identifier(table.schema, table.parent).as_string(connection)},
    ).fetchone()
    statement = sql.SQL("CREATE TABLE IF NOT EXISTS {} PARTITION OF {} {}").format(
        table.identifier,
        sql.Identifier(table.schema, table.parent),
        sql.SQL(table.bound),
    )
    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(owner["name"] if owner else "")))
    connection.execute(statement)
    connection.execute("RESET ROLE")


def _fill_table(connection: psycopg.Connection[Any], reader: Reader, table: Table, member: str) -> None:
    with connection.cursor() as cursor, cursor.copy(table.copy_in()) as copy:
        for block in reader.blocks(member):
            copy.write(block)
    digest = snapshot.digest(snapshot.rows_of(connection, table))
    if digest != reader.member(member).sha256:
        raise RestoreError(f"{table.schema}.{table.name} is not what the backup holds after it was restored")


def _pause(connection: psycopg.Connection[Any]) -> list[str]:
    """Hold what was sending at that time, through campaign's own use case and as its role, in this transaction."""
    owner = connection.execute(
        "SELECT pg_get_userbyid(nspowner) AS name FROM pg_namespace WHERE nspname = 'campaign'"
    ).fetchone()
    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(owner["name"] if owner else "")))
    connection.execute("SET LOCAL search_path TO campaign")
    with database.using(connection):
        paused = restored.pause_all()
    connection.execute("RESET ROLE")
    connection.execute("RESET search_path")
    return paused
