"""The pool behind shared.database: connections that are checked where it matters, and patience without end."""

import time
from typing import Any
from weakref import WeakSet

import orjson
import psycopg
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import ConnectionPool
from psycopg_pool.base import AttemptWithBackoff

_LONGEST_RETRY_S = 2.0
_TRUSTED_S = 1.0  # a connection used this recently is not checked again

Row = dict[str, Any]


class Connection(psycopg.Connection[Row]):
    """A pooled connection that knows when it was last used."""

    returned_at = 0.0


class _Attempt(AttemptWithBackoff):
    """Looks for a server that went away every other second, however long it was: the pool's own pauses double."""

    def update_delay(self, now: float) -> None:
        super().update_delay(now)
        self.delay = min(self.delay, _LONGEST_RETRY_S)


class Pool(ConnectionPool[Connection]):
    """psycopg's pool with attempts of our own, whose connections know when they came back.

    Not by psycopg's `reset`: with one, each return is a task for another thread, which costs a hot path more than its
    statement.
    """

    def putconn(self, conn: Connection) -> None:
        """Take a connection back."""
        conn.returned_at = time.monotonic()
        super().putconn(conn)

    def _add_connection(self, attempt: AttemptWithBackoff | None, growing: bool = False) -> None:
        super()._add_connection(attempt or _Attempt(timeout=self.reconnect_timeout), growing)


def check(connection: Connection) -> None:
    """Replace a connection that a restarted server left behind, before anyone sees it; a busy one is not asked."""
    if time.monotonic() - connection.returned_at > _TRUSTED_S:
        ConnectionPool.check_connection(connection)


_by_orjson: WeakSet[psycopg.Connection[Row]] = WeakSet()


def use_orjson(connection: psycopg.Connection[Row]) -> None:
    """From now on JSON goes through orjson on this connection, at a third of the cost.

    Once a connection: each time it is told psycopg derives a type from the last one, and lets go of none.
    """
    if connection not in _by_orjson:
        set_json_loads(orjson.loads, connection)
        set_json_dumps(orjson.dumps, connection)
        _by_orjson.add(connection)
