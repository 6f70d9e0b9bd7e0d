"""The beat sends what is due; a second one by mistake sends nothing."""

import os
import subprocess
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


def test_the_lease_of_a_beat_that_died_on_this_machine_is_taken_over_at_once(valkey, tmp_path):
    url, client = valkey
    dead = subprocess.Popen(["true"])
    dead.wait()
    with scheduler(url, tmp_path, "two") as second:
        client.set(beat.LEASE_KEY, f"{second._place}:{dead.pid}", px=60_000)
        second.tick()
        assert waiting(client) == 1


def test_the_lease_of_a_living_beat_and_of_one_elsewhere_is_respected(valkey, tmp_path):
    url, client = valkey
    with scheduler(url, tmp_path, "two") as second:
        for owner in (f"{second._place}:{os.getpid()}", "elsewhere/pid:[7]:1", "elsewhere/pid:[7]:99999999"):
            client.set(beat.LEASE_KEY, owner, px=60_000)
            second.tick()
        assert waiting(client) == 0


def test_a_beat_without_its_queue_waits_for_it(tmp_path):
    with scheduler("redis://127.0.0.1:9/0", tmp_path, "one") as lonely:
        assert lonely.tick() > 0


def test_every_sweep_of_every_service_is_in_the_schedule():
    assert set(beat.schedule()) <= set(contracts.TASKS)
    assert "profile.append_intake" in beat.schedule()
