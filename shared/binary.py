"""Statements by libpq itself, in binary: for hot paths, at a third (a row) and half (a COPY) of a cursor's cost."""

from collections.abc import Sequence
from typing import Final, LiteralString
from weakref import WeakKeyDictionary

import psycopg
from psycopg import generators, pq

from shared.connections import Row

_NO_SUCH_STATEMENT: Final = b"26000"
_prepared: WeakKeyDictionary[psycopg.Connection[Row], set[bytes]] = WeakKeyDictionary()


def row(
    connection: psycopg.Connection[Row], query: LiteralString, params: Sequence[tuple[int, bytes]]
) -> tuple[bytes | None, ...]:
    """The first row of a statement as the bytes Postgres sends (Transaction.binary_row says the rest)."""
    server = connection.pgconn
    text, values, formats = query.encode(), [value for _, value in params], [pq.Format.BINARY] * len(params)
    if server.transaction_status == pq.TransactionStatus.IDLE:
        name = b"binary_%x" % (hash(query) & 0xFFFFFFFFFFFFFFFF)
        known = _prepared.setdefault(connection, set())
        if name not in known:
            _checked(connection, server.prepare(name, text, [oid for oid, _ in params]))
            known.add(name)
        result = server.exec_prepared(name, values, formats, pq.Format.BINARY)
        if result.error_field(pq.DiagnosticField.SQLSTATE) == _NO_SUCH_STATEMENT:  # psycopg deallocates after rollbacks
            known.discard(name)
            return row(connection, query, params)
    else:  # a statement that fails would end the caller's transaction: nothing is kept there
        result = server.exec_params(text, values, [oid for oid, _ in params], formats, pq.Format.BINARY)
    _checked(connection, result)
    return tuple(result.get_value(0, column) for column in range(result.nfields))


def copy(connection: psycopg.Connection[Row], query: LiteralString, rows: bytes) -> None:
    """Carry out a COPY … FROM STDIN with all its rows (Transaction.copy_in says the rest)."""
    server = connection.pgconn
    if not connection.autocommit:
        connection.execute("")  # has psycopg say BEGIN, if that has not been said
    _checked(connection, server.exec_(query.encode()))
    for begin in range(0, len(rows), _PIECE):
        connection.wait(generators.copy_to(server, rows[begin : begin + _PIECE], flush=False))
    _checked(connection, connection.wait(generators.copy_end(server, None)))


_PIECE: Final = (
    1 << 20
)  # libpq takes no more than it finds room for, and what it never finds room for would go round for ever
_FINE: Final = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK, pq.ExecStatus.COPY_IN)


def _checked(connection: psycopg.Connection[Row], result: pq.abc.PGresult) -> None:
    if result.status in _FINE:
        return
    if connection.pgconn.status == pq.ConnStatus.BAD:
        raise psycopg.OperationalError("the connection to the database was lost")
    raise psycopg.errors.error_from_result(result)
