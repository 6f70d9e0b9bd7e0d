"""Postgres: a pool per process, `with transaction()`, what leaves after the commit.

The pool opens at first use, so after a fork each process has its own. SQL is written by the stores; this module
only carries it.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from typing import Any, LiteralString, TypeVar, overload

import psycopg
from psycopg import sql
from psycopg.rows import class_row, dict_row
from psycopg_pool import PoolTimeout

from shared import binary, connections, tracing

T = TypeVar("T")
Row = dict[str, Any]

Params = Mapping[str, Any]
Query = LiteralString | sql.SQL | sql.Composed

# For modules beside this one, which do not touch psycopg themselves.
LockNotAvailable = psycopg.errors.LockNotAvailable
# The server cannot do it now; the same request may well succeed a little later.
UNAVAILABLE: tuple[type[Exception], ...] = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)
Identifier, Literal, SQL = sql.Identifier, sql.Literal, sql.SQL

LOCK_TIMEOUT_MS = 10_000
STATEMENT_TIMEOUT_MS = 60_000
# A process frozen inside a transaction holds its locks (the appender's, a reader's cursor) no longer than this.
IDLE_IN_TRANSACTION_MS = 20_000


class NestedTransactionError(RuntimeError):
    """A use case opened a transaction inside another: pass `tx` down instead."""


class Transaction:
    """One database transaction of one use case. Made by transaction(), never by hand."""

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self.connection = connection
        self._after_commit: list[Callable[[], object]] = []
        self._nudges: dict[tuple[str, tuple[tuple[str, Any], ...]], None] = {}

    def execute(self, query: Query, params: Params | None = None) -> psycopg.Cursor[Row]:
        """Run one statement and return its cursor (rows as dicts)."""
        return self.connection.execute(query, params)

    def many(self, query: Query, rows: Iterable[Params]) -> None:
        """Run one statement once per row of parameters, a round trip each. For big batches use unnest or copy().

        Not executemany(): psycopg ends its pipeline with a Flush, and a session whose last message was one is not idle
        to PostgreSQL: frozen there, it would hold its locks for ever (IDLE_IN_TRANSACTION_MS).
        """
        with self.connection.cursor() as cursor:
            for row in rows:
                cursor.execute(query, row, prepare=True)

    @overload
    def all(self, query: Query, params: Params | None = None) -> list[Row]: ...
    @overload
    def all(self, query: Query, params: Params | None = None, *, into: type[T]) -> list[T]: ...
    def all(self, query: Query, params: Params | None = None, *, into: type[Any] = dict) -> list[Any]:
        """All rows, each a dict, or an instance of `into` built from its columns as keyword arguments."""
        with self.connection.cursor(row_factory=_factory(into)) as cursor:
            return cursor.execute(query, params).fetchall()

    @overload
    def one(self, query: Query, params: Params | None = None) -> Row | None: ...
    @overload
    def one(self, query: Query, params: Params | None = None, *, into: type[T]) -> T | None: ...
    def one(self, query: Query, params: Params | None = None, *, into: type[Any] = dict) -> Any | None:
        """The first row, or None."""
        with self.connection.cursor(row_factory=_factory(into)) as cursor:
            return cursor.execute(query, params).fetchone()

    def value(self, query: Query, params: Params | None = None) -> Any:
        """The first column of the first row, or None where there is no row."""
        row = self.connection.execute(query, params).fetchone()
        return None if row is None else next(iter(row.values()))

    def binary_row(self, query: LiteralString, params: Sequence[tuple[int, bytes]]) -> tuple[bytes | None, ...]:
        """The first row of a statement as the bytes Postgres sends; for hot paths, at a third of a cursor's cost.

        `query` has $1, $2 …; `params` are their (type oid, binary value). Raises psycopg.Error, and ValueError where
        there is no row.
        """
        return binary.row(self.connection, query, params)

    def copy_in(self, query: LiteralString, rows: bytes) -> None:
        """A COPY … FROM STDIN whose rows are ready in the form it names: for hot paths. Raises psycopg.Error."""
        binary.copy(self.connection, query, rows)

    def copy(
        self, table: LiteralString, columns: Sequence[str], rows: Iterable[Sequence[Any]], types: Sequence[str]
    ) -> int:
        """Binary COPY of `rows` into an own table; `types`: Postgres types of the columns. Returns the count."""
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        count = 0
        with self.connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)
                count += 1
        return count

    @overload
    def stream(self, query: Query, params: Params | None = None, *, batch: int = 5000) -> Iterator[Row]: ...
    @overload
    def stream(
        self, query: Query, params: Params | None = None, *, into: type[T], batch: int = 5000
    ) -> Iterator[T]: ...
    def stream(
        self, query: Query, params: Params | None = None, *, into: type[Any] = dict, batch: int = 5000
    ) -> Iterator[Any]:
        """Rows through a server-side cursor, `batch` at a time, for results too large to hold."""
        with self.connection.cursor(name="stream", row_factory=_factory(into)) as cursor:
            cursor.itersize = batch
            cursor.execute(query, params)
            yield from cursor

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo only the statements inside when they fail; the exception goes on to the caller."""
        with self.connection.transaction():
            yield

    def nudge(self, name: str, **ids: Any) -> None:
        """Announce after the commit that there is work (a nudge or a task of shared.contracts). Repeats are folded."""
        self._nudges[(name, tuple(sorted(ids.items())))] = None

    def after_commit(self, action: Callable[[], object]) -> None:
        """Run `action` once the commit has succeeded; never when it has not."""
        self._after_commit.append(action)

    def committed(self) -> None:
        """Let go of what waited for the commit."""
        for action in self._after_commit:
            action()
        for name, ids in self._nudges:
            _process.send_nudge(name, **dict(ids))


def _factory(into: type[Any]) -> Any:
    return dict_row if into is dict else class_row(into)


@dataclass
class _Process:
    """What one process holds: where to connect, and the pool it opened since its fork."""

    url: str = ""
    service: str = ""
    send_nudge: Callable[..., None] = lambda _name, **_ids: None
    pool_size: int = 8
    pid: int = 0
    pool: connections.Pool | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


_process = _Process()
_current: ContextVar[Transaction | None] = ContextVar("transaction", default=None)
# Tests put their own connection here; what runs inside is then rolled back by them.
_override: ContextVar[psycopg.Connection[Row] | None] = ContextVar("connection", default=None)


def configure(url: str, service: str, pool_size: int = 8) -> None:
    """Say where this process's transactions go. `service` names the schema on the search path."""
    close()
    _process.url, _process.service, _process.pool_size = url, service, pool_size


def send_nudges_with(sender: Callable[..., None]) -> None:
    """Hand nudges to `sender` after commits (shared.queue does it; otherwise they are left to the sweeps)."""
    _process.send_nudge = sender


def close() -> None:
    """Close this process's pool, if it has one."""
    if _process.pool is not None and _process.pid == os.getpid():
        _process.pool.close()
    _process.pool = None


def connection_options(service: str) -> dict[str, str]:
    """Session settings of every connection of a service, as libpq parameters."""
    return {
        "application_name": f"zhike-{service}",
        "options": (
            f"-c search_path={service} -c timezone=UTC -c lock_timeout={LOCK_TIMEOUT_MS}"
            f" -c statement_timeout={STATEMENT_TIMEOUT_MS}"
            f" -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_MS} -c jit=off"
        ),
    }


def pool() -> connections.Pool:
    """This process's pool, opened on first use."""
    if _process.pool is None or _process.pid != os.getpid():
        with _process.lock:
            if _process.pool is None or _process.pid != os.getpid():
                if not _process.url:
                    raise RuntimeError("shared.database.configure() has not been called in this process")
                _process.pool = connections.Pool(
                    _process.url,
                    # transaction() says BEGIN itself; statement() then needs neither that nor a switch and back
                    kwargs={"row_factory": dict_row, "autocommit": True, **connection_options(_process.service)},
                    connection_class=connections.Connection,
                    min_size=1,
                    max_size=_process.pool_size,
                    timeout=10,
                    open=True,
                    check=connections.check,
                )
                _process.pid = os.getpid()
    return _process.pool


def pool_stats() -> dict[str, int]:
    """What this process's pool says of itself (pool_size, pool_available …); {} before its first use."""
    return _process.pool.get_stats() if _process.pool is not None and _process.pid == os.getpid() else {}


@contextmanager
def transaction(*, read_only: bool = False, timeout_ms: int | None = None) -> Iterator[Transaction]:
    """One transaction: committed when the block ends, rolled back when it raises; then nudges leave.

    `read_only` makes Postgres refuse writes; `timeout_ms` bounds each statement of it. Raises
    NestedTransactionError inside another transaction of the same thread, psycopg.Error from Postgres.
    """
    override = _override.get()
    if override is not None:
        with _entered(override) as tx, override.transaction():
            if read_only:
                override.execute("SET TRANSACTION READ ONLY")
            _bound(tx, timeout_ms)
            yield tx
    else:
        with tracing.transaction_span(), pool().connection() as connection, _entered(connection) as tx:
            connection.read_only = read_only  # goes with the BEGIN: no round trip of its own
            with connection.transaction():
                _bound(tx, timeout_ms)
                yield tx
    tx.committed()


@contextmanager
def statement() -> Iterator[Transaction]:
    """For hot paths of a single statement: no BEGIN and no COMMIT, so one round trip instead of three.

    Each statement inside stands alone, so write at most one; nudges leave after it. Raises as transaction().
    """
    override = _override.get()
    if override is not None:
        with _entered(override) as tx:
            yield tx
    else:
        source = pool()
        with tracing.transaction_span():
            connection = source.getconn()
            try:
                tx, token = _enter(connection)
                try:
                    yield tx
                finally:
                    _current.reset(token)
            finally:
                source.putconn(connection)
    tx.committed()


@contextmanager
def _entered(connection: psycopg.Connection[Row]) -> Iterator[Transaction]:
    tx, token = _enter(connection)
    try:
        yield tx
    finally:
        _current.reset(token)


def _enter(connection: psycopg.Connection[Row]) -> tuple[Transaction, Token[Transaction | None]]:
    """Mark this context as being inside a transaction, so that a second one is noticed."""
    if _current.get() is not None:
        raise NestedTransactionError("a transaction is already open here: pass tx down")
    tx = Transaction(connection)
    return tx, _current.set(tx)


def _bound(tx: Transaction, timeout_ms: int | None) -> None:
    if timeout_ms is not None:
        tx.execute("SELECT set_config('statement_timeout', %(ms)s, true)", {"ms": str(timeout_ms)})


@contextmanager
def using(connection: psycopg.Connection[Row]) -> Iterator[None]:
    """Send the transactions of this context through `connection` (for tests that roll everything back)."""
    token = _override.set(connection)
    try:
        yield
    finally:
        _override.reset(token)
