"""Nudges: after the commit, folded, carrying the request id, and never a reason to fail."""

import contextlib
import dataclasses
import json

import pytest

from shared import contracts, crypto, database, queue, telemetry
from shared.config import Settings
from shared.database import transaction

APPEND = "profile.append_intake"


@pytest.fixture
def settings(database_clone) -> Settings:
    chosen = database_clone("profile")
    queue.valkey().flushdb()
    return chosen


def waiting(name: str) -> list[dict]:
    return [json.loads(message) for message in queue.valkey().lrange(name, 0, -1)]


def test_a_nudge_leaves_after_the_commit_and_not_before(settings):
    with transaction() as tx:
        tx.nudge(contracts.INTAKE_GREW)
        assert waiting(contracts.PROFILE_APPENDER) == []
    assert len(waiting(contracts.PROFILE_APPENDER)) == 1


def test_a_rolled_back_transaction_nudges_nobody(settings):
    with contextlib.suppress(ZeroDivisionError), transaction() as tx:
        tx.nudge(contracts.INTAKE_GREW)
        raise ZeroDivisionError
    assert waiting(contracts.PROFILE_APPENDER) == []


def test_one_announcement_reaches_every_service_that_reads_the_log(settings):
    queue.nudge(contracts.EVENTS_GREW)
    assert [len(waiting(name)) for name in ("segmentation", "recommend", "campaign")] == [1, 1, 1]


def test_equal_nudges_are_folded_while_one_is_on_its_way_and_others_are_not(settings):
    for _ in range(5):
        queue.nudge("segmentation.refresh_segment", segment_id=1)
    queue.nudge("segmentation.refresh_segment", segment_id=2)
    assert len(waiting("segmentation")) == 2


def test_the_request_id_travels_with_the_nudge(settings):
    with telemetry.request("req-77"):
        queue.nudge(APPEND)
    assert waiting(contracts.PROFILE_APPENDER)[0]["headers"]["request_id"] == "req-77"


def test_without_valkey_the_work_is_committed_and_the_broker_is_asked_only_once_a_second(settings, caplog):
    queue.configure(dataclasses.replace(settings, redis_url="redis://127.0.0.1:1/0"))
    with transaction() as tx:
        tx.execute("CREATE TABLE done (id int)")
        tx.nudge(contracts.INTAKE_GREW)
    for _ in range(50):
        queue.nudge(APPEND)
    assert len([record for record in caplog.records if "nudge_not_sent" in str(record.msg)]) <= 2
    with transaction() as tx:
        assert tx.value("SELECT count(*) FROM done") == 0


def test_a_worker_looks_for_its_queue_every_few_seconds_however_long_it_was_away(monkeypatch):
    monkeypatch.setattr("kombu.utils.functional.sleep", lambda _: None)
    pauses = []

    def note(error, pause):
        pauses.append(pause)
        if len(pauses) == 30:
            raise StopIteration from error

    app = queue.create_beat("redis://127.0.0.1:9/0", {})
    with app.connection_for_write() as connection, pytest.raises(StopIteration):
        connection.ensure_connection(note, None, callback=lambda: None)
    assert max(pauses) <= 3.0


def test_a_name_that_is_not_in_the_contracts_is_a_mistake(settings):
    with pytest.raises(KeyError):
        queue.nudge("profile.no_such_task")


def test_a_use_case_inside_a_use_case_is_a_mistake(settings):
    with transaction(), pytest.raises(database.NestedTransactionError), transaction():
        pass


def test_a_read_only_transaction_cannot_write_and_a_bounded_one_ends(settings):
    with pytest.raises(Exception, match="read-only"), transaction(read_only=True) as tx:
        tx.execute("CREATE TABLE done (id int)")
    with pytest.raises(Exception, match="statement timeout"), transaction(timeout_ms=50) as tx:
        tx.execute("SELECT pg_sleep(2)")


def test_binary_copy_and_streams_carry_rows_both_ways(settings):
    with transaction() as tx:
        tx.execute("CREATE TABLE line (number int, word text)")
        assert tx.copy("line", ["number", "word"], ((n, "茶") for n in range(12_000)), ["int4", "text"]) == 12_000
        assert sum(row["number"] for row in tx.stream("SELECT * FROM line", batch=1000)) == sum(range(12_000))


def test_sealed_values_survive_the_database(settings):
    with transaction() as tx:
        token = tx.value("SELECT %(sealed)s::text", {"sealed": crypto.seal("李梅")})
    assert crypto.unseal(token) == "李梅"
