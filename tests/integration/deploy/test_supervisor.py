"""The supervisor with small processes: restarts, logs, order of the end, nothing left behind."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from deploy import liveness, pulse
from deploy.home import Home
from deploy.process import Command, spawn, stop
from deploy.supervisor import Job, StartError, Supervisor

ROOT = Path(__file__).resolve().parents[3]
SLEEPER = "import time, pathlib, sys; pathlib.Path(sys.argv[1]).touch(); time.sleep(600)"


@pytest.fixture
def home(tmp_path):
    place = Home(tmp_path)
    place.prepare()
    return place


@pytest.fixture
def supervisor(home):
    runs = Supervisor(home, lambda text: None)
    yield runs
    runs.stop()


def python(code, *arguments):
    return Command([sys.executable, "-c", textwrap.dedent(code), *arguments], dict(os.environ))


def job(home, name, code, stage=0, once=False, stop_timeout_s=10.0):
    ready = home.run / f"{name}.ready"
    return Job(name, name, stage, lambda: python(code, str(ready)), ready.exists, once, stop_timeout_s)


def state_of(home, name):
    return next(entry for entry in home.read_state()["processes"] if entry["name"] == name)


def run_until(supervisor, condition, patience_s=20.0):
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline
        supervisor._step(0.05)


def events(home):
    return [json.loads(line) for line in (home.log / "supervisor.log").read_text().splitlines()]


def test_a_killed_process_is_started_again_and_counted(home, supervisor):
    supervisor.start([job(home, "api", SLEEPER)])
    first = state_of(home, "api")["pid"]
    os.kill(first, signal.SIGKILL)
    run_until(supervisor, lambda: state_of(home, "api")["state"] == "running" and state_of(home, "api")["pid"] != first)
    assert state_of(home, "api")["restarts"] == 1


def test_a_process_that_keeps_crashing_is_started_less_and_less_often(home, supervisor):
    supervisor.start(
        [job(home, "api", "import pathlib, sys; pathlib.Path(sys.argv[1]).touch(); import time; time.sleep(.2)")]
    )
    run_until(supervisor, lambda: state_of(home, "api")["restarts"] >= 3)
    pauses = [entry["restart_in_s"] for entry in events(home) if entry["event"] == "crashed"]
    assert pauses[:3] == [0.5, 1.0, 2.0]


def test_the_children_of_a_killed_process_do_not_outlive_it(home, supervisor):
    code = """
        import pathlib, subprocess, sys, time
        child = subprocess.Popen(["sleep", "600"])
        note = pathlib.Path(sys.argv[1] + ".building")
        note.write_text(str(child.pid))
        note.rename(sys.argv[1])
        time.sleep(600)
    """
    supervisor.start([job(home, "worker", code)])
    grandchild = int((home.run / "worker.ready").read_text())
    os.kill(state_of(home, "worker")["pid"], signal.SIGKILL)
    run_until(supervisor, lambda: state_of(home, "worker")["restarts"] == 1)
    run_until(supervisor, lambda: has_ended(grandchild))


def has_ended(pid: int) -> bool:
    """Whether a process is gone, but for what its parent has not asked about. One that was killed takes a moment."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_server_that_recovers_is_not_asked_at_every_line_that_others_log(home, supervisor):
    asked = []

    def is_ready():
        asked.append(time.monotonic())
        return len(asked) == 5

    chatty = "import pathlib, sys\npathlib.Path(sys.argv[1]).touch()\nwhile True: print('refused', flush=True)"
    slow = replace(job(home, "postgres", SLEEPER), is_ready=is_ready)
    supervisor.start([job(home, "worker", chatty), slow])
    assert asked[-1] - asked[0] > 4 * 0.09


def test_a_role_that_cannot_start_ends_the_start_with_its_own_words(home, supervisor):
    with pytest.raises(StartError, match="ZHIKE_DATA_KEY is missing"):
        supervisor.start([job(home, "api", "raise SystemExit('ZHIKE_DATA_KEY is missing')")])


def test_a_failed_migration_is_not_tried_again(home, supervisor):
    with pytest.raises(StartError, match="no such column"):
        supervisor.start([job(home, "migrate", "raise SystemExit('no such column')", once=True)])
    assert [entry["event"] for entry in events(home)].count("started") == 1


def test_a_program_that_is_not_there_is_named(home, supervisor):
    missing = Job("proxy", "proxy", 0, lambda: Command(["/no/such/caddy"]), lambda: False)
    with pytest.raises(StartError, match="/no/such/caddy"):
        supervisor.start([missing])


def test_everything_a_process_says_is_in_the_log_of_its_role(home, supervisor):
    code = "[print('line', n, 'x' * 100) for n in range(20000)]"
    supervisor.start([job(home, "chatty", code, once=True)])
    supervisor.stop()
    lines = (home.log / "chatty.log").read_text().splitlines()
    assert [line.split()[1] for line in lines] == [str(n) for n in range(20000)]


def test_later_stages_end_first_and_each_has_time_to_finish(home, supervisor):
    code = """
        import pathlib, signal, sys, time
        def finish(*_):
            time.sleep(0.3)
            raise SystemExit(0)
        signal.signal(signal.SIGTERM, finish)
        pathlib.Path(sys.argv[1]).touch()
        time.sleep(600)
    """
    supervisor.start(
        [job(home, "postgres", code), job(home, "worker", code, stage=2), job(home, "proxy", code, stage=3)]
    )
    supervisor.stop()
    ended = [(entry["name"], entry["in_time"]) for entry in events(home) if entry["event"] == "stopped"]
    assert ended == [("proxy", True), ("worker", True), ("postgres", True)]


def test_who_does_not_end_in_time_is_ended_by_force(home, supervisor):
    code = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}"
    supervisor.start([job(home, "stubborn", code, stop_timeout_s=0.3)])
    pid = state_of(home, "stubborn")["pid"]
    supervisor.stop()
    assert not psutil.pid_exists(pid)
    assert state_of(home, "stubborn")["exit_code"] == -signal.SIGKILL


def test_killing_the_supervisor_takes_its_processes_along(home):
    code = f"""
        import sys
        sys.path.insert(0, {str(ROOT)!r})
        from tests.integration.deploy.test_supervisor import SLEEPER, job
        from deploy.home import Home
        from deploy.supervisor import Supervisor
        from pathlib import Path
        home = Home(Path({str(home.path)!r}))
        supervisor = Supervisor(home, print)
        supervisor.start([job(home, name, SLEEPER) for name in ("one", "two")])
        (home.run / "up").touch()
        supervisor.watch()
    """
    with (home.path / "output").open("wb") as output:
        parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=output, stderr=output)
    while not (home.run / "up").exists():
        assert parent.poll() is None, (home.path / "output").read_text()
        time.sleep(0.02)
    pids = [entry["pid"] for entry in home.read_state()["processes"]]
    assert len(pids) == 2
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)], timeout=10)
    assert alive == []


def test_a_child_never_inherits_the_supervisors_lock(home):
    with home.lock(), (home.path / "output").open("wb") as output:
        child = spawn(python("import time; time.sleep(600)"), output)
    try:
        assert home.supervisor_pid() is None
    finally:
        stop(child, signal.SIGTERM, 5.0)


PULSING = f"""
    import sys
    sys.path.insert(0, {str(ROOT)!r})
    import os, pathlib, signal, time
    from deploy import pulse
    pulse.start()
"""


def started(code):
    return textwrap.dedent(PULSING) + textwrap.dedent(code)


FAST_PULSE = "pulse.EVERY_S = 0.2; pulse.start()"
TOUCH = "pathlib.Path(sys.argv[1]).touch()\n"


def test_a_frozen_process_is_killed_and_started_again(home, supervisor, monkeypatch):
    supervisor.start([job(home, "appender", started(TOUCH + "time.sleep(600)"))])
    first = state_of(home, "appender")["pid"]
    run_until(supervisor, lambda: supervisor._children["appender"].vitals._patients)
    monkeypatch.setattr(liveness, "SILENT_S", 3.0)
    os.kill(first, signal.SIGSTOP)
    run_until(supervisor, lambda: state_of(home, "appender")["pid"] not in (None, first))
    assert [entry["pids"] for entry in events(home) if entry["event"] == "killed_for_its_silence"] == [[first]]


def test_a_frozen_child_is_killed_and_its_parent_lives_on(home, supervisor, monkeypatch):
    code = """
        child = os.fork()
        if child == 0:
            pulse.start()
            time.sleep(600)
        pathlib.Path(sys.argv[1] + ".building").write_text(str(child))
        pathlib.Path(sys.argv[1] + ".building").rename(sys.argv[1])
        time.sleep(600)
    """
    supervisor.start([job(home, "worker", started(code))])
    child = int((home.run / "worker.ready").read_text())
    run_until(supervisor, lambda: len(supervisor._children["worker"].vitals._patients) == 2)
    monkeypatch.setattr(liveness, "SILENT_S", 3.0)
    os.kill(child, signal.SIGSTOP)
    run_until(supervisor, lambda: "killed_for_its_silence" in [entry["event"] for entry in events(home)])
    run_until(supervisor, lambda: psutil.Process(child).status() == psutil.STATUS_ZOMBIE)
    assert state_of(home, "worker")["restarts"] == 0


def test_who_computes_without_letting_python_run_is_left_alone(home, supervisor, monkeypatch):
    # A regular expression that backtracks holds the interpreter's lock for seconds, as native code may.
    code = """
        import re
        pathlib.Path(sys.argv[1]).touch()
        re.match("(a+)+b", "a" * 26)
        pathlib.Path(sys.argv[1] + ".done").touch()
        time.sleep(600)
    """
    monkeypatch.setattr(liveness, "SILENT_S", 2.5)
    monkeypatch.setattr(liveness, "LOOK_EVERY_S", 0.5)
    supervisor.start([job(home, "trainer", started(code).replace("pulse.start()", FAST_PULSE))])
    run_until(supervisor, (home.run / "trainer.ready.done").exists, 60.0)
    assert state_of(home, "trainer")["restarts"] == 0


def test_a_server_that_gives_no_answer_is_started_again(home, supervisor, monkeypatch):
    monkeypatch.setattr(liveness, "SILENT_S", 0.5)
    monkeypatch.setattr(liveness, "ASK_EVERY_S", 0.1)
    silent = home.run / "silent"
    server = replace(job(home, "proxy", SLEEPER), answers=lambda pid: not silent.exists())
    supervisor.start([server])
    first = state_of(home, "proxy")["pid"]
    silent.touch()
    run_until(supervisor, lambda: state_of(home, "proxy")["restarts"] == 1)
    silent.unlink()
    run_until(supervisor, lambda: state_of(home, "proxy")["pid"] not in (None, first))


def test_a_server_too_busy_to_answer_is_left_alone(home, supervisor, monkeypatch):
    monkeypatch.setattr(liveness, "SILENT_S", 0.5)
    monkeypatch.setattr(liveness, "ASK_EVERY_S", 0.1)
    monkeypatch.setattr(liveness, "LOOK_EVERY_S", 0.2)
    asked = []
    busy = "import pathlib, sys\npathlib.Path(sys.argv[1]).touch()\nwhile True: pass"
    server = replace(job(home, "valkey", busy), answers=lambda pid: asked.append(pid) or False)
    supervisor.start([server])
    run_until(supervisor, lambda: len(asked) > 20, 60.0)
    assert state_of(home, "valkey")["restarts"] == 0


def test_a_machine_that_slept_finds_nobody_silent(monkeypatch):
    vitals = liveness.Vitals(os.getpid())
    vitals.heard(pulse.MESSAGE.pack(os.getpid()))
    vitals._looked_at -= 3600
    assert vitals.end_the_silent(is_up=True) == []
    vitals._looked_at -= 3600
    assert vitals.end_the_silent(is_up=True) == []
