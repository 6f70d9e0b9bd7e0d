"""The beat sends what is due; a second one by mistake sends nothing."""

from contextlib import closing

import pytest
import redis

from deploy import beat
from shared import contracts, queue

SWEEP = "campaign.start_due"


@pytest.fixture
def valkey(servers):
    url = servers.redis(2)
    client = redis.Redis.from_url(url)
    client.flushdb()
    yield url, client
    client.flushdb()
    client.close()


def scheduler(url, tmp_path, name):
    made = beat.LeasedScheduler(app=queue.create_beat(url, {SWEEP: 0.0}), schedule_filename=str(tmp_path / name))
    made._me = name
    return closing(made)


def waiting(client):
    return client.llen(contracts.TASKS[SWEEP])


def test_what_is_due_is_sent_to_its_queue(valkey, tmp_path):
    url, client = valkey
    with scheduler(url, tmp_path, "one") as first:
        first.tick()
        assert waiting(client) == 1


def test_a_second_beat_waits_and_takes_over_when_the_first_is_gone(valkey, tmp_path):
    url, client = valkey
    with scheduler(url, tmp_path, "one") as first, scheduler(url, tmp_path, "two") as second:
        first.tick()
        second.tick()
        assert waiting(client) == 1
        first.close()
        second.tick()
        assert waiting(client) == 2


def test_a_beat_that_died_is_replaced_when_its_lease_ends(valkey, tmp_path):
    url, client = valkey
    client.set(beat.LEASE_KEY, "dead", px=1)
    with scheduler(url, tmp_path, "two") as second:
        while client.exists(beat.LEASE_KEY):
            pass
        second.tick()
        assert waiting(client) == 1


def test_a_beat_without_its_queue_waits_for_it(tmp_path):
    with scheduler("redis://127.0.0.1:9/0", tmp_path, "one") as lonely:
        assert lonely.tick() > 0


def test_every_sweep_of_every_service_is_in_the_schedule():
    assert set(beat.schedule()) <= set(contracts.TASKS)
    assert "profile.append_intake" in beat.schedule()
