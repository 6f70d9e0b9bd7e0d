"""The beat sends what is due; a second one by mistake sends nothing."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import closing, contextmanager

from deploy import beat
from deploy.home import CHECKOUT
from deploy.process import Command, spawn, stop
from shared import contracts, queue
from tests.journey.platform import eventually

SWEEP = "campaign.start_due"


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


@contextmanager
def beat_process(url, folder):
    """`python -m deploy beat`, as on a machine of its own."""
    folder.mkdir(exist_ok=True)
    env = {"PATH": os.environ["PATH"], "REDIS_URL": url, "ZHIKE_READY_FILE": str(folder / "ready")}
    argv = [sys.executable, "-m", "deploy", "beat", "--schedule-file", str(folder / "schedule")]
    with (folder / "log").open("wb") as log:
        process = spawn(Command(argv, env, str(CHECKOUT)), log)
    try:
        eventually((folder / "ready").exists)
        yield process
    finally:
        stop(process, signal.SIGTERM, 10.0)


def senders(client, queue_name=contracts.CAMPAIGN):
    """Process id -> sweeps it has sent to a queue that nobody consumes."""
    messages = [json.loads(raw)["headers"] for raw in client.lrange(queue_name, 0, -1)]
    return Counter(int(headers["origin"].split("@")[0].removeprefix("gen")) for headers in messages)


def test_two_beats_started_by_mistake_send_no_sweep_twice_and_either_goes_on_without_the_other(valkey, tmp_path):
    url, client = valkey
    with beat_process(url, tmp_path / "here") as here, beat_process(url, tmp_path / "there") as there:
        eventually(lambda: senders(client).total() >= 4)
        assert len(senders(client)) == 1
        leading, waiting_one = (here, there) if here.pid in senders(client) else (there, here)
        # A machine that is frozen past its lease and wakes up finds that another leads now.
        leading.send_signal(signal.SIGSTOP)
        client.delete(beat.LEASE_KEY)
        client.delete(contracts.CAMPAIGN)
        eventually(lambda: senders(client)[waiting_one.pid] >= 2)
        leading.send_signal(signal.SIGCONT)
        eventually(lambda: senders(client)[waiting_one.pid] >= 6)
        assert senders(client)[leading.pid] <= 1  # what it was sending when it froze
