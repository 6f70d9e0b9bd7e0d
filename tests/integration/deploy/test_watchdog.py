"""A process that lives and whose loop does not: it ends itself, so that another one is started."""

import os
import signal
import sys
import time
from contextlib import contextmanager

import psutil
import pytest
import redis
from celery import Celery

from deploy.home import CHECKOUT
from deploy.process import Command, spawn, stop
from deploy.watchdog import PATIENCE, Watchdog
from tests.fault.field import NotPossible
from tests.fault.hanging import Held
from tests.journey.platform import eventually

QUEUE = "console"
IMPATIENT = "from deploy import watchdog; watchdog.PATIENCE = 3; from deploy import {module} as role; {start}"
WORKER = IMPATIENT.format(module="worker", start="role.run('console', ['console'], 1)")
BEAT = "import sys, pathlib; " + IMPATIENT.format(
    module="beat", start="role._WAIT_S = 1.0; role.run(sys.argv[1], pathlib.Path(sys.argv[2]))"
)


def looks(watchdog, number, before=lambda: None):
    found = []
    for _ in range(number):
        before()
        found.append(watchdog.look())
    return found


def test_a_loop_that_turns_now_and_then_is_left_alone_and_one_that_stands_still_is_not(valkey):
    url, _ = valkey
    watchdog = Watchdog(url)
    for _ in range(3):
        watchdog.turned()
        assert looks(watchdog, PATIENCE) == [None] * PATIENCE
    assert watchdog.look() == "its loop stands still"


def test_while_the_broker_is_away_nothing_is_held_against_a_loop(valkey):
    url, _ = valkey
    watchdog = Watchdog(url)
    looks(watchdog, PATIENCE)
    here, watchdog._valkey = watchdog._valkey, redis.Redis.from_url("redis://127.0.0.1:1/0", socket_timeout=0.1)
    assert watchdog.look() is None
    watchdog._valkey = here
    assert looks(watchdog, PATIENCE - 1) == [None] * (PATIENCE - 1)


def test_a_message_that_is_left_although_a_child_is_free_is_noticed(valkey):
    url, client = valkey
    watchdog = Watchdog(url, [QUEUE, "profile"], lambda: True)
    client.lpush("profile", "work")
    assert looks(watchdog, PATIENCE, watchdog.turned) == [None] * PATIENCE
    watchdog.turned()
    assert watchdog.look() == "it takes nothing from profile"


def test_a_worker_whose_children_are_busy_or_whose_queue_moves_is_left_alone(valkey):
    url, client = valkey
    client.lpush(QUEUE, "work")
    busy = Watchdog(url, [QUEUE], lambda: False)
    assert looks(busy, 2 * PATIENCE, busy.turned) == [None] * 2 * PATIENCE
    client.lpush(QUEUE, *range(2 * PATIENCE))
    served = Watchdog(url, [QUEUE], lambda: True)
    assert looks(served, 2 * PATIENCE, lambda: (served.turned(), client.rpop(QUEUE))) == [None] * 2 * PATIENCE


@contextmanager
def process(code, url, folder, *arguments):
    """A role in a process of its own, with a watchdog that waits three seconds only."""
    ready, log = folder / "ready", folder / "log"
    servers = {"REDIS_URL": url, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}
    keys = {"ZHIKE_SECRET_KEY": "a secret key of the tests" * 2, "ZHIKE_DATA_KEY": "a data key of the tests" * 2}
    env = {"PATH": os.environ["PATH"], "ZHIKE_READY_FILE": str(ready), **servers, **keys}
    with log.open("wb") as output:
        started = spawn(Command([sys.executable, "-c", code, *arguments], env, str(CHECKOUT)), output)
    try:
        eventually(ready.exists)
        yield started, log
    finally:
        stop(started, signal.SIGKILL, 10.0)


def test_a_worker_whose_loop_hangs_while_its_process_lives_ends_itself(valkey, tmp_path):
    url, _ = valkey
    with process(WORKER, url, tmp_path) as (worker, log):
        held = hold(worker.pid)
        eventually(lambda: not psutil.pid_exists(worker.pid))
        held.thaw()
        assert "its loop stands still" in log.read_text()


def test_a_beat_whose_loop_hangs_ends_itself(valkey, tmp_path):
    url, _ = valkey
    with process(BEAT, url, tmp_path, url, str(tmp_path / "schedule")) as (beat, log):
        held = hold(beat.pid)
        eventually(lambda: not psutil.pid_exists(beat.pid))
        held.thaw()
        assert "its loop stands still" in log.read_text()


def test_a_worker_that_has_nothing_to_do_lives_on_and_one_that_takes_nothing_ends_itself(valkey, tmp_path):
    url, client = valkey
    with process(WORKER, url, tmp_path) as (worker, log):
        time.sleep(4.5)
        assert worker.poll() is None
        Celery(broker=url).control.cancel_consumer(QUEUE)
        time.sleep(1.0)
        client.lpush(QUEUE, "what nobody takes")
        assert worker.wait(30) == os.EX_TEMPFAIL
        assert "it takes nothing from console" in log.read_text()


def hold(pid):
    """Stop the main thread of a process."""
    try:
        return Held(pid)
    except NotPossible as refusal:
        pytest.skip(str(refusal))
