"""All schemas as they were at one instant, read while the platform goes on working.

COPY within one REPEATABLE READ transaction, and not pg_dump: that refuses servers newer than itself, is missing in the
image of the roles, and brings structure along, where ours comes from the migrations, whose revisions are recorded.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from deploy.migrate import LOCK
from shared import contracts

# The same bytes on any server and in any session, so that checksums of before and after can be compared.
_SESSION: Final = {
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "iso_8601",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "client_encoding": "UTF8",
    "synchronize_seqscans": "off",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "row_security": "off",
}
_ATTEMPTS: Final = 5
_BLOCK: Final = 256 * 1024
# The bounds of a partition come back as a statement: nothing but constants between its words.
_BOUND: Final = re.compile(r"FOR VALUES FROM \('[^'\\]*'\) TO \('[^'\\]*'\)|DEFAULT")


class SnapshotError(RuntimeError):
    """The database cannot be read as a whole; the message says what a person can do."""


@dataclass(frozen=True)
class Table:
    """A table with rows of its own: a plain one, or one partition. `columns`: those that are stored, not generated."""

    schema: str
    name: str
    columns: tuple[str, ...]
    parent: str | None = None
    bound: str | None = None

    def __post_init__(self) -> None:
        if self.bound is not None and not _BOUND.fullmatch(self.bound):
            raise SnapshotError(f"{self.schema}.{self.name} is a partition of a kind that is not known: {self.bound}")

    @classmethod
    def told(cls, entry: Mapping[str, Any]) -> "Table":
        """A table as a manifest describes it."""
        columns = tuple(map(str, entry["columns"]))
        return cls(entry["schema"], entry["name"], columns, entry["parent"], entry["bound"])

    def fits(self, other: "Table | None") -> bool:
        """Whether the rows of this table can go into the other."""
        return other is not None and set(self.columns) == set(other.columns)

    @property
    def identifier(self) -> sql.Identifier:
        """Its name with its schema, quoted."""
        return sql.Identifier(self.schema, self.name)

    def copy_out(self) -> sql.Composed:
        """The statement that writes its rows."""
        return sql.SQL("COPY {} ({}) TO STDOUT").format(self.identifier, self._columns())

    def copy_in(self) -> sql.Composed:
        """The statement that takes them back."""
        return sql.SQL("COPY {} ({}) FROM STDIN").format(self.identifier, self._columns())

    def _columns(self) -> sql.Composed:
        return sql.SQL(", ").join(map(sql.Identifier, self.columns))


def connect(owner_url: str) -> psycopg.Connection[Any]:
    """A connection of the owner whose rows come as dicts. Raises SnapshotError."""
    try:
        connection = psycopg.connect(owner_url, autocommit=True, connect_timeout=10, row_factory=dict_row)
    except psycopg.OperationalError as error:
        raise SnapshotError(f"the database cannot be reached: {error}") from error
    for name, value in _SESSION.items():
        connection.execute("SELECT set_config(%(name)s, %(value)s, false)", {"name": name, "value": value})
    return connection


@contextmanager
def frozen(connection: psycopg.Connection[Any]) -> Iterator[list[Table]]:
    """Everything inside sees the database at one instant: the tables of all services, parents before children.

    Others read and write meanwhile; migrations wait, and so does whoever wants to drop a partition.
    """
    connection.execute("SELECT pg_advisory_lock_shared(%(lock)s)", {"lock": LOCK})
    try:
        for _ in range(_ATTEMPTS):
            known, begun = tables(connection), False
            try:
                with connection.transaction():
                    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                    _lock(connection, known)  # before the first query, which takes the snapshot
                    if tables(connection) == known:
                        begun = True
                        yield known
                        return
            except psycopg.errors.UndefinedTable:
                if begun:
                    raise
                # Otherwise a partition was dropped in between: look again.
        raise SnapshotError("tables come and go all the time; try again when no upkeep runs")
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock_shared(%(lock)s)", {"lock": LOCK})


def _lock(connection: psycopg.Connection[Any], known: Sequence[Table]) -> None:
    if known:
        names = sql.SQL(", ").join(table.identifier for table in known)
        connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(names))


def tables(connection: psycopg.Connection[Any]) -> list[Table]:
    """The tables of all services that hold rows, those that others refer to first."""
    rows = connection.execute(
        """
        SELECT n.nspname AS schema, c.relname AS name, p.relname AS parent, pg_get_expr(c.relpartbound, c.oid) AS bound,
               array(
                   SELECT a.attname::text FROM pg_attribute a
                   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
                   ORDER BY a.attnum
               ) AS columns
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
        LEFT JOIN pg_class p ON p.oid = i.inhparent
        WHERE n.nspname = ANY(%(schemas)s) AND c.relkind = 'r' AND c.relname <> 'alembic_version'
        ORDER BY 1, 2
        """,
        {"schemas": list(contracts.SERVICES)},
    ).fetchall()
    found = {(row["schema"], row["name"]): Table(**{**row, "columns": tuple(row["columns"])}) for row in rows}
    graph: dict[tuple[str, str], set[tuple[str, str]]] = {key: set() for key in found}
    for child, parent in _references(connection):
        if child in graph and parent in graph and child != parent:
            graph[child].add(parent)
    try:
        return [found[key] for key in TopologicalSorter(graph).static_order()]
    except CycleError as error:
        raise SnapshotError(f"tables refer to each other in a circle: {error.args[1]}") from error


def _references(connection: psycopg.Connection[Any]) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    rows = connection.execute(
        """
        SELECT n.nspname AS schema, c.relname AS name, fn.nspname AS to_schema, f.relname AS to_name
        FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_class f ON f.oid = k.confrelid JOIN pg_namespace fn ON fn.oid = f.relnamespace
        WHERE k.contype = 'f' AND n.nspname = ANY(%(schemas)s)
        """,
        {"schemas": list(contracts.SERVICES)},
    ).fetchall()
    return [((row["schema"], row["name"]), (row["to_schema"], row["to_name"])) for row in rows]


def heads(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """Service -> the revision its schema is at. Raises SnapshotError for a database that was never migrated."""
    found = {}
    for service in contracts.SERVICES:
        table = sql.Identifier(service, "alembic_version")
        try:
            row = connection.execute(sql.SQL("SELECT version_num FROM {}").format(table)).fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
            raise SnapshotError(f"the database holds no {service}: has the platform ever run on it?") from error
        if row is not None:
            found[service] = row["version_num"]
    return found


def sequences(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Schema, name and last value of each sequence that was ever used."""
    return connection.execute(
        """
        SELECT schemaname AS schema, sequencename AS name, last_value AS value FROM pg_sequences
        WHERE schemaname = ANY(%(schemas)s) AND last_value IS NOT NULL ORDER BY 1, 2
        """,
        {"schemas": list(contracts.SERVICES)},
    ).fetchall()


def rows_of(connection: psycopg.Connection[Any], table: Table) -> Iterator[bytes]:
    """The rows of one table as COPY writes them, some hundred kilobytes at a time."""
    gathered = bytearray()
    with connection.cursor() as cursor, cursor.copy(table.copy_out()) as copy:
        for row in copy:
            gathered += row
            if len(gathered) >= _BLOCK:
                yield bytes(gathered)
                gathered.clear()
    if gathered:
        yield bytes(gathered)


def digest(blocks: Iterator[bytes]) -> str:
    """SHA-256 of what comes in blocks."""
    found = hashlib.sha256()
    for block in blocks:
        found.update(block)
    return found.hexdigest()
