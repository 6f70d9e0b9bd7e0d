"""Several workers at once, crashes, and rules that take too long: nothing twice, nothing lost, nobody stopped."""

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from services.segmentation.actions import events, memberships, recompute, segments
from services.segmentation.actions.moments import moment_of
from services.segmentation.store import facts, jobs
from services.segmentation.store import segments as stored
from shared.database import transaction
from tests.integration.segmentation.event_log import Log, rows

TWICE = {"feature": "orders", "op": ">=", "value": 2}
VIEWED = {"event": "$page"}


def run_all(*jobs: Callable[[], Any]) -> None:
    """Run these at once; what one raises is raised here."""
    failed: list[BaseException] = []

    def guarded(job: Callable[[], Any]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001  # raised below, in the test's own thread
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def test_many_workers_do_everything_once_and_leave_no_hole_in_the_log(log: Log) -> None:
    people = log.customers(12)
    segment_id = segments.create("Twice", "", TWICE).segment.segment_id
    written = threading.Event()

    def write() -> None:
        for number in range(300):
            log.order(people[number % 10 if number % 3 else number % 5], number)
        written.set()

    def read() -> None:
        while not written.is_set():
            events.read_events()

    def refresh() -> None:
        while not written.is_set():
            memberships.refresh(segment_id)
            recompute.ask(None)
            recompute.run_due()

    run_all(write, read, read, refresh)
    events.read_events()
    assert rows("SELECT count(*) AS orders, count(DISTINCT order_key) AS different FROM purchase") == [
        {"orders": 300, "different": 300}
    ]
    assert rows("SELECT count(*) AS left_over FROM touched") == [{"left_over": 0}]
    # The log without a hole, and replayed, is the membership.
    entries = rows("SELECT position, customer_id, entered FROM membership_log ORDER BY position")
    assert [entry["position"] for entry in entries] == list(range(1, len(entries) + 1))
    members: set[Any] = set()
    for entry in entries:
        assert (entry["customer_id"] in members) != entry["entered"]
        members ^= {entry["customer_id"]}
    assert members == {row["customer_id"] for row in rows("SELECT customer_id FROM membership")}
    assert members == {row["customer_id"] for row in rows("SELECT customer_id FROM customer_feature WHERE orders > 1")}


def test_a_reader_that_dies_is_as_if_it_had_never_read(log: Log) -> None:
    (mei,) = log.customers(1)
    for number in range(5):
        log.order(mei, number)

    def read_and_die() -> None:
        with transaction() as tx:
            assert len(facts.next_entries(tx, 100)) == 5
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        read_and_die()
    events.read_events()
    events.read_events()
    assert rows("SELECT orders FROM customer_feature") == [{"orders": 5}]


def test_a_rule_that_takes_too_long_is_tried_again_and_stops_nobody_else(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = log.customers(2)
    for number in range(4):
        log.order(people[number % 2], number)
    events.read_events()
    slow = segments.create("Viewed", "", {"not": VIEWED}).segment.segment_id
    segments.create("Twice", "", TWICE)
    monkeypatch.setattr(memberships, "REFRESH_TIMEOUT_MS", 100)
    with psycopg.connect(log.connection.info.dsn, password="test-segmentation", user=own_role()) as other:
        other.execute("LOCK TABLE segmentation.event_fact IN ACCESS EXCLUSIVE MODE")
        memberships.refresh_stale()
    found = rows("SELECT name, size, stale, error FROM segment JOIN segment_state USING (segment_id)")
    state = {row["name"]: row for row in found}
    assert (state["Twice"]["size"], state["Twice"]["stale"]) == (2, False)
    assert state["Viewed"]["stale"]
    assert "took longer than 0.1 s" in state["Viewed"]["error"]
    with transaction() as tx:
        tx.execute("UPDATE segment_state SET failed_at = now() - interval '1 hour'")
    memberships.refresh_stale()
    assert segments.get(slow).segment.size == 2
    assert segments.get(slow).segment.error is None


def test_one_slow_rule_keeps_no_other_segment_from_following_a_customer(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = log.customers(2)
    for number in range(4):
        log.order(people[number % 2], number)
    events.read_events()
    segments.create("Viewed", "", {"not": VIEWED})
    segments.create("Twice", "", TWICE)
    monkeypatch.setattr(memberships, "TOUCHED_TIMEOUT_MS", 100)
    with psycopg.connect(log.connection.info.dsn, password="test-segmentation", user=own_role()) as other:
        other.execute("LOCK TABLE segmentation.event_fact IN ACCESS EXCLUSIVE MODE")
        with transaction() as tx:
            assert memberships.claim(tx)
            memberships.follow(tx, people, moment_of(tx))
    state = {
        row["name"]: row for row in rows("SELECT name, size, error FROM segment JOIN segment_state USING (segment_id)")
    }
    assert (state["Twice"]["size"], state["Twice"]["error"]) == (2, None)
    assert state["Viewed"]["size"] == 0
    assert "took longer than 0.1 s" in state["Viewed"]["error"]


def test_a_segment_that_cannot_be_found_keeps_nobody_from_being_computed(log: Log) -> None:
    broken = segments.create("Broken", "", TWICE).segment.segment_id
    with transaction() as tx:
        tx.execute(f"ALTER TABLE segment_state ADD CHECK (version IS NULL OR segment_id <> '{broken}')")  # type: ignore[arg-type]
    (mei,) = log.customers(1)
    log.order(mei, 1)
    events.read_events()
    assert rows("SELECT orders FROM customer_feature") == [{"orders": 1}]
    found = segments.get(broken).segment
    assert found.stale
    assert "CheckViolation" in str(found.error)
    with transaction(read_only=True) as tx:
        assert stored.stale_ids(tx) == []  # not before a minute has passed


def own_role() -> str:
    (row,) = rows("SELECT current_user AS name")
    return str(row["name"])


def test_a_job_whose_worker_died_is_taken_up_again(log: Log) -> None:
    (mei,) = log.customers(1)
    log.order(mei, 1)
    recompute.ask(None)
    with transaction() as tx:
        job = jobs.take(tx)
    assert job is not None
    recompute.run_due()  # the other worker's lease still holds
    assert recompute.job(job.job_id).state == "running"
    with transaction() as tx:
        tx.execute("UPDATE recompute_job SET lease_until = now() - interval '1 second'")
    recompute.run_due()
    assert recompute.job(job.job_id).state == "done"
    assert rows("SELECT orders FROM customer_feature") == [{"orders": 1}]


def test_who_has_just_bought_is_in_their_segments_before_everybody_is_computed(log: Log) -> None:
    mei, hua = log.customers(2)
    for number, who in enumerate((mei, hua, hua)):
        log.order(who, number)
    events.read_events()
    segment_id = segments.create("Twice", "", TWICE).segment.segment_id
    memberships.refresh(segment_id)
    log.order(mei, 3)
    events.read_facts()
    recompute.ask(None)
    with transaction() as tx:
        job = jobs.take(tx)
    assert job is not None
    recompute._compute_all(job)  # and here its worker dies
    assert {row["customer_id"] for row in rows("SELECT customer_id FROM membership")} == {mei, hua}
