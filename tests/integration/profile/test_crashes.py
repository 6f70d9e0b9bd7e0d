"""Collectors and appenders that are killed at any moment: what was acknowledged is in the log, once, in order."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from services.profile.domain.components import components

ROOT = Path(__file__).resolve().parents[3]
PREPARE = """
import sys
from shared import crypto, database
from shared.config import load_settings
settings = load_settings("profile")
crypto.configure(settings)
database.configure(settings.database_url, "profile", 2)
"""
COLLECT = (
    PREPARE
    + """
import json
from services.profile.actions.collect import Sender, collect
from services.profile.domain.batches import Batch
name, batches = sys.argv[1], int(sys.argv[2])
for number in range(batches):
    events = []
    for place in range(20):
        key = f"{name}-{number}-{place}"
        user, browser = (number * 20 + place) % 17, (number + place) % 23
        event = {"type": "track", "event": "Product Viewed"}
        if place % 5 == 0:
            event = {"type": "identify", "userId": f"user-{user}"}
        event["anonymousId"] = f"{name}-{browser}"
        events.append(json.dumps({**event, "messageId": key}).encode())
    collect(Batch([*events, events[3]]), Sender("test", None, True, imported=name == "import"))
    print(number, flush=True)
"""
)
APPEND = (
    PREPARE
    + """
import time
from services.profile.actions import append
append.ROWS_A_ROUND = 33
while True:
    append.drain()
    time.sleep(0.01)
"""
)


@pytest.fixture
def environment(database_clone):
    """The environment of processes of profile on a database of the test's own."""
    settings = database_clone("profile")
    return {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "ZHIKE_SECRET_KEY": settings.secret_key,
        "ZHIKE_DATA_KEY": settings.data_key,
        "PYTHONPATH": str(ROOT),
    }


@contextmanager
def running(code: str, environment: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process of ours; killed at the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def read(environment: dict[str, str], statement: str) -> list[tuple]:
    with psycopg.connect(environment["DATABASE_URL"], options="-c search_path=profile") as connection:
        return connection.execute(statement).fetchall()  # type: ignore[call-overload]


def wait_until(environment: dict[str, str], statement: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not read(environment, statement)[0][0]:
        assert time.monotonic() < deadline, f"not so after {seconds} s: {statement}"
        time.sleep(0.05)


def log_is_whole(environment: dict[str, str]) -> list[str]:
    """Positions without gaps, each message once; returns the messages."""
    log = read(environment, "SELECT position, message_id, type FROM event_log ORDER BY position")
    assert [position for position, _, _ in log] == list(range(1, len(log) + 1))
    assert read(environment, "SELECT position FROM log_head") == [(len(log),)]
    messages = [message for _, message, kind in log if kind not in ("merge", "split")]
    assert len(messages) == len(set(messages))
    return messages


def customers_are_components(environment: dict[str, str]) -> None:
    mapping = dict(read(environment, "SELECT identity_id, customer_id FROM identity"))
    links = read(environment, "SELECT a, b FROM identity_link WHERE live")
    assert mapping == components(mapping, links)
    seen = read(
        environment,
        """
        SELECT count(*) FROM customer_seen s FULL JOIN (
            SELECT i.customer_id, min(e.occurred_at) AS first, max(e.occurred_at) AS last
            FROM event_log e JOIN identity i USING (identity_id) GROUP BY 1
        ) e USING (customer_id)
        WHERE (s.first_seen_at, s.last_seen_at) IS DISTINCT FROM (e.first, e.last)
        """,
    )
    assert seen == [(0,)]


@pytest.mark.slow
def test_appenders_killed_at_any_moment_lose_nothing_and_double_nothing(environment):
    expected = {f"{name}-{number}-{place}" for name in ("a", "import") for number in range(60) for place in range(20)}
    seed = random.Random(7)
    with running(COLLECT, environment, "a", "60") as first, running(COLLECT, environment, "import", "60") as second:
        for _ in range(4):
            head = read(environment, "SELECT coalesce(max(position), 0) FROM log_head")[0][0]
            with running(APPEND, environment), running(APPEND, environment):
                wait_until(environment, f"SELECT coalesce(max(position), 0) > {head} FROM log_head", 60)
                time.sleep(seed.uniform(0, 0.05))
        assert (first.wait(60), second.wait(60)) == (0, 0)
    with running(APPEND, environment):
        wait_until(environment, "SELECT count(*) = 0 FROM intake", 60)
    assert set(log_is_whole(environment)) == expected
    customers_are_components(environment)


@pytest.mark.slow
def test_what_a_killed_collector_acknowledged_is_in_the_log(environment):
    with running(APPEND, environment):
        with running(COLLECT, environment, "a", "100000") as collector:
            assert collector.stdout is not None
            acknowledged = [collector.stdout.readline() for _ in range(12)]
            collector.kill()
            acknowledged += collector.stdout.readlines()
        wait_until(environment, "SELECT count(*) = 0 FROM intake", 60)
    messages = set(log_is_whole(environment))
    numbers = [int(line) for line in acknowledged if line.endswith("\n")]
    assert {f"a-{number}-{place}" for number in numbers for place in range(20)} <= messages
    assert len(messages) % 20 == 0
    customers_are_components(environment)


def test_two_appenders_at_once_do_the_work_once(environment):
    with running(COLLECT, environment, "a", "8") as collector:
        assert collector.wait(60) == 0
    with running(APPEND, environment), running(APPEND, environment):
        wait_until(environment, "SELECT count(*) = 0 FROM intake", 60)
    assert len(log_is_whole(environment)) == 160
