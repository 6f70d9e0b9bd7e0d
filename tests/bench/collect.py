"""collect and collect_resolved: events in, beside bare COPY of the very rows they became."""

import time
from collections.abc import Iterator

import psycopg
from psycopg import sql

from tests.bench import machine, storefront
from tests.bench.load import Target, seconds_to_send
from tests.bench.report import Figure, figure
from tests.bench.stack import Stack, running

BASE_PORT = 28700
BATCH = 100
EVENTS = 40_000
ROUNDS = 5
CONNECTIONS = 64
PROCESSES = 2
PREFILLED = 1_000_000
COMMIT = 5_000


def collect() -> list[Figure]:
    """Events a second until the 200, into an intake of a million rows that nobody drains."""
    with running(BASE_PORT) as stack:
        target = _target(stack)
        seconds_to_send(target, storefront.bodies(2_000, BATCH, seed=0), CONNECTIONS)  # warm, and something to copy
        _prefill(stack)
        ours, ceiling = [], []
        with stack.connect("profile") as connection:
            for number in range(1, ROUNDS + 1):
                bodies = storefront.bodies(EVENTS, BATCH, seed=number)
                last = _value(connection, "SELECT max(id) FROM intake")
                ours.append(EVENTS / seconds_to_send(target, bodies, CONNECTIONS))
                ceiling.append(EVENTS / _copy_again(connection, "intake", "id", last))
    return [figure("collect", "events/s", ours, ceiling, _conditions("intake of 1M rows, nobody drains it"))]


def collect_resolved() -> list[Figure]:
    """Events a second until every one has its position in the log and its customer."""
    with running(BASE_PORT) as stack:
        target = _target(stack)
        stack.worker("profile-worker")
        stack.beat()
        _send_and_wait(stack, target, storefront.bodies(10_000, BATCH, seed=0))
        ours, ceiling = [], []
        with stack.connect("profile") as connection:
            for number in range(1, ROUNDS + 1):
                bodies = storefront.bodies(EVENTS, BATCH, seed=number)
                last = _value(connection, "SELECT max(position) FROM event_log")
                ours.append(EVENTS / _send_and_wait(stack, target, bodies))
                ceiling.append(EVENTS / _copy_again(connection, "event_log", "position", last))
    conditions = _conditions("one appender, 20,000 visitors, a third of them logged in (links and merges among them)")
    return [figure("collect_resolved", "events/s", ours, ceiling, conditions)]


def _target(stack: Stack) -> Target:
    stack.api("profile", PROCESSES)
    return Target(stack.url("profile") + "/v1/batch", stack.key("server"))


def _prefill(stack: Stack) -> None:
    """Multiply the rows that are there to a million, each with ids of its own."""
    columns = (
        "received_at, key_id, source, trusted, imported, type, event, occurred_at, own_kind, own_lookup, own_sealed, "
        "claims, payload"
    )
    with stack.connect("profile") as connection:
        times = PREFILLED // _value(connection, "SELECT count(*) FROM intake")
        connection.execute("SET statement_timeout = 0")
        connection.execute(
            f"INSERT INTO intake ({columns}, message_key, message_id) "
            f"SELECT {columns}, gen_random_uuid(), message_id || '/' || n FROM intake, generate_series(2, {times}) AS n"
        )
        connection.execute("VACUUM ANALYZE intake")
    with stack.connect() as owner:
        owner.execute("CHECKPOINT")  # as on a server that has run for a while: segments of the log to be used again


def _copy_again(connection: psycopg.Connection, table: str, key: str, after: int) -> float:
    """Take the rows with a key above `after` out, and COPY them back in, binary, in commits of 5,000; the seconds."""
    name, column = sql.Identifier(table), sql.Identifier(key)
    blocks = list(_taken(connection, name, column, after))
    connection.execute(sql.SQL("DELETE FROM {} WHERE {} > {}").format(name, column, after))
    started = time.perf_counter()
    for block in blocks:
        with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(name)) as copy:
            copy.write(block)
    return time.perf_counter() - started


def _taken(connection: psycopg.Connection, name: sql.Identifier, column: sql.Identifier, after: int) -> Iterator[bytes]:
    last = _value(connection, sql.SQL("SELECT max({}) FROM {}").format(column, name))
    while after < last:
        bounds = sql.SQL("SELECT {0} FROM {1} WHERE {0} > {2} ORDER BY {0} LIMIT 1 OFFSET {3}")
        row = connection.execute(bounds.format(column, name, after, COMMIT - 1)).fetchone()
        upto = row[0] if row else last
        chosen = sql.SQL("SELECT * FROM {1} WHERE {0} > {2} AND {0} <= {3} ORDER BY {0}").format(
            column, name, after, upto
        )
        with connection.cursor().copy(sql.SQL("COPY ({}) TO STDOUT (FORMAT BINARY)").format(chosen)) as copy:
            yield b"".join(bytes(piece) for piece in copy)
        after = upto


def _send_and_wait(stack: Stack, target: Target, bodies: list[bytes]) -> float:
    """Seconds from the first request until the intake is empty again and the log has every event."""
    with stack.connect("profile") as connection:
        goal = _value(connection, "SELECT count(*) FROM event_log WHERE type = 'track'") + len(bodies) * BATCH
        started = time.perf_counter()
        seconds_to_send(target, bodies, CONNECTIONS)
        while _value(connection, "SELECT EXISTS (SELECT FROM intake)"):
            time.sleep(0.02)
        took = time.perf_counter() - started
        found = _value(connection, "SELECT count(*) FROM event_log WHERE type = 'track'")
        nameless = _value(
            connection,
            "SELECT count(*) FROM profile_out.events_v1 WHERE type = 'track' AND customer_id IS NULL",
        )
    if (found, nameless) != (goal, 0):
        raise RuntimeError(f"the log has {found} of {goal} events, {nameless} without a customer")
    return took


def _value(connection: psycopg.Connection, query: str | sql.Composable) -> int:
    row = connection.execute(query).fetchone()  # type: ignore[call-overload]
    return int(row[0] or 0)


def _conditions(special: str) -> str:
    return (
        f"{machine.described()}, client and servers together; fsync on, {machine.fsyncs_per_second():,.0f} fdatasync/s "
        f"here; batches of {BATCH}, {CONNECTIONS} connections, {PROCESSES} API processes; {special}; "
        f"ceiling: binary COPY of the same rows into the same table, commits of {COMMIT:,}"
    )
