"""`zhike up` as people use it: everything up, two copies side by side, crashes mended, nothing left at the end."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
import requests

from deploy import secrets, topology
from tests.journey.platform import ROOT, eventually, free_block, shared, zhike

pytestmark = pytest.mark.slow


class Copy:
    """One platform in a folder of its own."""

    def __init__(self, data, base_port):
        self.data, self.base_port = data, base_port

    def state(self):
        return json.loads((self.data / "state.json").read_text())

    def process(self, name):
        return next(entry for entry in self.state()["processes"] if entry["name"] == name)

    def healthy(self):
        return requests.get(f"http://127.0.0.1:{self.base_port}/healthz", timeout=5).status_code == 200


@pytest.fixture(scope="module")
def first(tmp_path_factory, worker_id):
    root = tmp_path_factory.getbasetemp()
    with shared((root if worker_id == "master" else root.parent) / "first") as platform:
        yield Copy(platform.data, platform.base_port)


@contextmanager
def foreground(copy, **environment):
    """`zhike up` in the foreground, from READY on."""
    output = (copy.data / "output.txt").open("w+")
    command = [sys.executable, "-m", "deploy", "up", "--data", str(copy.data), "--port", str(copy.base_port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output, env={**os.environ, **environment})
    try:
        while "READY" not in (text := Path(output.name).read_text()):
            assert process.poll() is None, text
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(120)
        output.close()


def refused(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "deploy", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    return done.stderr


def test_a_killed_role_comes_back_by_itself(first):
    killed = first.process("console-api.1")["pid"]
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: first.process("console-api.1")["restarts"] == 1)
    eventually(lambda: first.process("console-api.1")["state"] == "running")
    assert first.healthy()
    assert first.process("profile-api.1")["restarts"] == 0


def test_a_killed_database_comes_back_and_the_roles_find_it_again(first):
    os.kill(first.process("postgres")["pid"], signal.SIGKILL)
    eventually(lambda: first.process("postgres")["restarts"] == 1 and first.process("postgres")["state"] == "running")
    ready = f"http://127.0.0.1:{topology.port_of('profile', first.base_port)}/readyz"
    eventually(lambda: requests.get(ready, timeout=10).status_code == 200)


def test_a_role_knows_its_own_database_role_only(first):
    values = secrets.load(first.data, {})
    passwords = {name: value for name, value in values.items() if name.endswith("_PASSWORD")}
    allowed = {"profile-api.1": {"PROFILE_DB_PASSWORD"}, "campaign-worker.1": {"CAMPAIGN_DB_PASSWORD"}, "beat.1": set()}
    for role, mine in allowed.items():
        told = Path(f"/proc/{first.process(role)['pid']}/environ").read_text()
        assert {name for name, value in passwords.items() if value in told} == mine | {secrets.VALKEY_PASSWORD}, role


def test_the_same_folder_is_refused_and_left_alone(first):
    message = refused("up", "--data", str(first.data), "--port", str(free_block()))
    assert f"in use by the supervisor with pid {first.state()['pid']}" in message
    assert first.healthy()


def test_a_taken_port_is_named_with_who_has_it(first, tmp_path):
    message = refused("up", "--data", str(tmp_path), "--port", str(first.base_port))
    assert f"{first.base_port} (proxy) by pid" in message
    assert "--port" in message


def test_what_runs_where_can_be_asked(first):
    table = zhike("status", "--data", str(first.data))
    assert str(first.data) in table
    assert "profile-worker.1" in table
    assert "ready." in zhike("logs", "profile-worker", "--lines", "100000", "--data", str(first.data))


def test_a_second_copy_on_servers_of_ones_own_lives_beside_the_first_and_ends_at_ctrl_c(first, tmp_path, servers):
    own_database, own_queue = servers.database_url("second_copy"), servers.redis(1)
    copy = Copy(tmp_path, free_block())
    with foreground(copy, DATABASE_URL=own_database, REDIS_URL=own_queue) as process:
        assert copy.healthy()
        assert first.healthy()
        assert not {"postgres", "valkey"} & {entry["name"] for entry in copy.state()["processes"]}
        with psycopg.connect(own_database) as connection:
            assert connection.execute("SELECT count(*) FROM profile.alembic_version").fetchone() == (1,)
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) > 15
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    assert first.healthy()


def test_one_page_has_the_metrics_of_every_process_and_outlives_valkey(first):
    def page():
        reply = requests.get(f"http://127.0.0.1:{first.base_port + topology.METRICS_PORT}/metrics", timeout=20)
        assert reply.status_code == 200
        return reply.text

    of_ours = {entry["name"] for entry in first.state()["processes"]}
    of_ours -= {"postgres", "valkey", "migrate", "proxy.1", "mail.1"}
    eventually(lambda: all(f'instance="{name}"}} 1' in page() for name in of_ours))
    eventually(lambda: 'zhike_tasks_total{role="profile-worker"' in page())
    os.kill(first.process("valkey")["pid"], signal.SIGSTOP)
    try:
        assert 'zhike_process_rss_bytes{role="campaign-worker"' in page()
        assert 'zhike_valkey_up{role="profile-api",instance="profile-api.1",service="profile"} 0.0' in page()
    finally:
        os.kill(first.process("valkey")["pid"], signal.SIGCONT)


def test_every_role_speaks_in_lines_that_say_who_speaks(first):
    for role in ("profile-api", "campaign-worker", "recommend-trainer"):
        lines = [json.loads(line) for line in (first.data / "log" / f"{role}.log").read_text().splitlines()]
        assert lines
        assert {(line["role"], line["instance"]) for line in lines} == {(role, f"{role}.1")}
        assert {line["service"] for line in lines} == {role.partition("-")[0]}
