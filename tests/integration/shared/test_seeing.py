"""What an operator sees of a service: in metrics and in its own words, also while its servers are away."""

import dataclasses
import time

import orjson
import pytest
import redis

from services.profile.actions.standing import standing as of_profile
from services.recommend.actions.standing import standing as of_recommend
from services.recommend.store import models
from shared import database, failures, heartbeat, metrics, process, queue, standing, telemetry
from shared.database import transaction


@pytest.fixture
def profile(database_clone):
    chosen = database_clone("profile")
    queue.valkey().flushdb()
    standing.configure("profile", of_profile)
    yield chosen
    standing.configure("profile", standing.Standing)


def sample(name: str, **labels: str) -> float | None:
    """The value of a metric on this process's page."""
    for line in metrics.page().decode().splitlines():
        head, _, value = line.rpartition(" ")
        if head.partition("{")[0] == name and all(f'{key}="{told}"' in head for key, told in labels.items()):
            return float(value)
    return None


def test_what_waits_in_a_queue_is_seen_with_how_long_it_has_waited(profile):
    queue.nudge("profile.append_intake")
    time.sleep(0.05)
    assert sample("zhike_queue_messages", queue="profile.appender") == 1
    assert sample("zhike_queue_oldest_seconds", queue="profile.appender") >= 0.05
    assert sample("zhike_queue_messages", queue="profile") == 0


def test_without_valkey_the_page_says_so_and_shows_the_rest(profile):
    queue.configure(dataclasses.replace(profile, redis_url="redis://127.0.0.1:1/0"))
    assert sample("zhike_valkey_up", service="profile") == 0
    assert sample("zhike_database_up", service="profile") == 1
    assert sample("zhike_intake_rows") == 0
    assert standing.report()["queues"] is None


def test_without_the_database_the_page_says_so_and_shows_the_rest(profile):
    database.configure("postgresql://nobody@127.0.0.1:1/nothing", "profile")
    standing.configure("profile", of_profile)
    assert sample("zhike_database_up", service="profile") == 0
    assert sample("zhike_valkey_up", service="profile") == 1


def test_a_reader_that_is_behind_says_by_how_many_entries_and_how_long(database_clone):
    database_clone("profile")
    with transaction() as tx:
        tx.execute("INSERT INTO log_head VALUES ('events', 3) ON CONFLICT (log) DO UPDATE SET position = 3")
        tx.execute("CREATE TABLE event_log_00000 (LIKE event_log INCLUDING CONSTRAINTS)")
        tx.execute("ALTER TABLE event_log ATTACH PARTITION event_log_00000 FOR VALUES FROM (0) TO (5000000)")
        tx.execute(
            """
            INSERT INTO event_log (position, message_id, type, occurred_at, received_at, imported, trusted, source,
                                   payload)
            SELECT n, n::text, 'merge', now(), now() - n * interval '10 minutes', false, true, 'test', '{}'
            FROM generate_series(1, 3) AS n
            """
        )
    database_clone("recommend")
    with transaction() as tx:
        tx.execute("INSERT INTO log_cursor VALUES ('recommend', 1)")
    (reader,) = of_recommend().readers
    assert (reader.position, reader.lag_entries) == (1, 2)
    assert 1200 <= reader.lag_seconds < 1260


def test_a_training_under_way_is_seen_from_outside(database_clone):
    settings = database_clone("recommend")
    assert of_recommend().jobs == []
    import psycopg

    with psycopg.connect(settings.database_url, options="-c search_path=recommend") as trainer:
        claim = "SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || '/trainer', 0))"
        assert trainer.execute(claim).fetchone() == (True,)
        (job,) = of_recommend().jobs
        assert (job.kind, job.state) == ("training", "running")
        with transaction() as tx:
            assert not models.claim_training(tx)
    assert of_recommend().jobs == []


def test_every_process_that_lives_is_known_and_one_that_went_quiet_is_told_as_such(profile, monkeypatch):
    monkeypatch.setitem(process._known, "self", None)
    process.introduce("profile-worker")
    ended = heartbeat.start(profile.redis_url, lambda: {"kind": "worker", "queues": ["profile"]})
    deadline = time.monotonic() + 20
    while not (found := heartbeat.said(queue.valkey())):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    ended.set()
    (mine,) = found
    assert mine["role"] == "profile-worker"
    assert mine["queues"] == ["profile"]
    assert mine["alive"]
    assert mine["rss_bytes"] > 1_000_000
    (later,) = heartbeat.said(queue.valkey(), time.time() + heartbeat.QUIET_S + 1)
    assert not later["alive"]
    assert heartbeat.said(queue.valkey(), time.time() + heartbeat.FORGOTTEN_S + 1) == []
    assert heartbeat.said(queue.valkey()) == []


def test_failed_tasks_are_remembered_up_to_a_number_with_their_request(profile):
    with telemetry.request("find-me"):
        for number in range(failures.KEPT + 5):
            failures.keep(queue.valkey(), "profile.append_intake", {"n": number}, ValueError("mei@example.com"))
    kept = failures.newest(queue.valkey())
    assert len(kept) == failures.KEPT
    assert kept[0].ids == {"n": failures.KEPT + 4}
    assert kept[0].request_id == "find-me"
    assert "mei@" not in orjson.dumps([vars(one) for one in kept]).decode()
    assert failures.forget(queue.valkey(), kept[0])
    assert not failures.forget(queue.valkey(), kept[0])


def test_a_service_answers_how_it_stands_to_those_who_may_know(profile_api):
    assert profile_api.as_key(None).get("/statusz").status_code == 401
    assert profile_api.as_key("server").get("/statusz").status_code == 403
    told = orjson.loads(profile_api.get("/statusz").data)
    assert told["service"] == "profile"
    assert {one["queue"] for one in told["queues"]} == {"profile", "profile.appender"}
    assert [one["kind"] for one in told["dead_letters"]] == ["rejected_event"]


def test_a_broken_heartbeat_hurts_nobody(monkeypatch):
    monkeypatch.setitem(process._known, "self", None)
    process.introduce("beat")
    heartbeat.start("redis://127.0.0.1:1/0").set()
    with pytest.raises(redis.RedisError):
        heartbeat.said(redis.Redis(port=1))
