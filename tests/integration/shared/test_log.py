"""The published log under real concurrency: nothing skipped, nothing twice, order kept, whatever crashes."""

import contextlib
import multiprocessing
import random
import threading
import time
from functools import partial

import psycopg
import pytest

from shared import database, log
from shared.config import Settings
from shared.database import transaction

CONTEXT = multiprocessing.get_context("spawn")
WRITERS, READERS, ENTRIES = 3, 2, 300


@pytest.fixture
def settings(database_clone) -> Settings:
    """A clone with a small published log in profile's schema and a reader's table beside it."""
    chosen = database_clone("profile")
    with transaction() as tx:
        tx.execute("CREATE TABLE entry (position bigint PRIMARY KEY, writer int, number int)")
        tx.execute("CREATE VIEW profile_out.entry_v1 AS SELECT position, writer, number FROM entry")
        tx.execute("CREATE TABLE seen (turn bigserial, position bigint, writer int, number int)")
        tx.execute("CREATE TABLE IF NOT EXISTS log_cursor (reader text PRIMARY KEY, position bigint NOT NULL)")
    return chosen


def write(settings: Settings, writer: int, crash_share: float, seed: int) -> None:
    """Append ENTRIES numbered entries in small batches; now and then fail before the commit and try again."""
    database.configure(settings.database_url, "profile", 2)
    chance = random.Random(seed + writer)
    committed: list[int] = []
    number = 0
    while number < ENTRIES:
        count = min(chance.randint(1, 7), ENTRIES - number)
        with contextlib.suppress(ZeroDivisionError), transaction() as tx:
            first = log.reserve(tx, "entries", count)
            for offset in range(count):
                tx.execute(
                    "INSERT INTO entry VALUES (%(position)s, %(writer)s, %(number)s)",
                    {"position": first + offset, "writer": writer, "number": number + offset},
                )
            if chance.random() < crash_share:
                raise ZeroDivisionError
            tx.after_commit(partial(committed.append, count))
        number = sum(committed)


def follow(settings: Settings, crash_share: float, seed: int) -> None:
    """Read until all entries have been seen; now and then fail between the reading and the commit."""
    database.configure(settings.database_url, "profile", 2)
    chance = random.Random(seed)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(ZeroDivisionError), transaction() as tx:
            entries = log.read(tx, "test", "profile_out.entry_v1", ["position", "writer", "number"], limit=20)
            tx.many(
                "INSERT INTO seen (position, writer, number) VALUES (%(position)s, %(writer)s, %(number)s)", entries
            )
            if chance.random() < crash_share:
                raise ZeroDivisionError
        with transaction() as tx:
            if log.cursor(tx, "test") >= WRITERS * ENTRIES:
                return


def run(*jobs: tuple) -> None:
    processes = [CONTEXT.Process(target=target, args=arguments, daemon=True) for target, *arguments in jobs]
    for process in processes:
        process.start()
    for process in processes:
        process.join(90)
        assert process.exitcode == 0


def seen() -> list[dict]:
    with transaction() as tx:
        return tx.all("SELECT position, writer, number FROM seen ORDER BY turn")


@pytest.mark.parametrize("crash_share", [0.0, 0.2])
def test_concurrent_writers_and_readers_lose_double_and_reorder_nothing(settings, crash_share):
    run(
        *[(write, settings, writer, crash_share, 1) for writer in range(WRITERS)],
        *[(follow, settings, crash_share, 100 + reader) for reader in range(READERS)],
    )
    positions = [row["position"] for row in seen()]
    assert positions == list(range(1, WRITERS * ENTRIES + 1))
    for writer in range(WRITERS):
        assert [row["number"] for row in seen() if row["writer"] == writer] == list(range(ENTRIES))


def test_a_killed_writer_leaves_no_hole_and_a_killed_reader_repeats_nothing(settings):
    chance = random.Random(7)
    processes = [
        *[CONTEXT.Process(target=write, args=(settings, writer, 0.0, 5), daemon=True) for writer in range(WRITERS)],
        *[CONTEXT.Process(target=follow, args=(settings, 0.0, reader), daemon=True) for reader in range(READERS)],
    ]
    for process in processes:
        process.start()
    deadline = time.monotonic() + 30
    while _appended() < ENTRIES // 2:
        assert time.monotonic() < deadline, "the writers do not write"
        time.sleep(0.01)
    for process in (processes[chance.randrange(WRITERS)], processes[WRITERS]):
        process.kill()
    for process in processes[:WRITERS]:
        process.join(60)
    appended = _appended()
    processes[-1].kill()
    _drain()
    positions = [row["position"] for row in seen()]
    assert positions == list(range(1, appended + 1))
    for process in processes:
        process.join(10)


def test_a_reader_waits_for_a_position_that_is_reserved_but_not_committed(settings):
    with psycopg.connect(settings.database_url, options="-c search_path=profile") as slow:
        slow.execute("INSERT INTO log_head (log, position) VALUES ('entries', 1)")
        slow.execute("INSERT INTO entry VALUES (1, 0, 0)")
        with transaction() as tx:
            assert log.read(tx, "test", "profile_out.entry_v1", ["position"]) == []
        slow.commit()
    with transaction() as tx:
        assert [e["position"] for e in log.read(tx, "test", "profile_out.entry_v1", ["position"])] == [1]
        assert log.lag(tx, "test", "profile_out.entry_v1") == 0


def test_only_one_appender_at_a_time_is_let_in(settings):
    with psycopg.connect(settings.database_url, options="-c search_path=profile") as other:
        with transaction() as tx:
            assert log.claim(tx, "entries")
            statement = "SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || '/entries', 0))"
            assert other.execute(statement).fetchone() == (False,)
        assert other.execute(statement).fetchone() == (True,)


def _appended() -> int:
    with transaction() as tx:
        return tx.value("SELECT count(*) FROM entry")


def _drain() -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with transaction() as tx:
            entries = log.read(tx, "test", "profile_out.entry_v1", ["position", "writer", "number"], limit=50)
            tx.many(
                "INSERT INTO seen (position, writer, number) VALUES (%(position)s, %(writer)s, %(number)s)", entries
            )
            if log.cursor(tx, "test") >= tx.value("SELECT count(*) FROM entry"):
                return


def claim_when_free(claimed: threading.Event) -> None:
    """Wait for the claim, and hold it a moment."""
    with transaction() as tx:
        if log.claim(tx, "entries", patience_s=20.0):
            claimed.set()
            time.sleep(0.5)


def test_who_waits_for_the_claim_comes_before_somebody_who_takes_it_again_and_again(settings):
    claimed = threading.Event()
    waiter = threading.Thread(target=claim_when_free, args=(claimed,))
    with transaction() as tx:
        assert log.claim(tx, "entries")
        waiter.start()
        while not tx.value("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"):
            time.sleep(0.01)
    with transaction() as tx:
        assert not log.claim(tx, "entries")
    waiter.join()
    assert claimed.is_set()


def test_patience_for_the_claim_ends_and_leaves_the_transaction_whole(settings):
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction() as tx:
            log.claim(tx, "entries")
            held.set()
            done.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(20)
    with transaction() as tx:
        tx.execute("INSERT INTO entry VALUES (1, 1, 1)")
        assert not log.claim(tx, "entries", patience_s=0.1)
        assert tx.value("SELECT count(*) FROM entry") == 1
    done.set()
    holder.join()
