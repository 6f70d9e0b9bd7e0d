"""Starts processes, collects what they say, restarts those that crash, ends all of them.

One thread, one loop. Children die with the supervisor (deploy.process), so nothing is left behind whatever ends it.
"""

import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from deploy import pulse
from deploy.home import Home
from deploy.liveness import Vitals
from deploy.logfile import BoundedLog
from deploy.process import Command, kill_group, spawn, tail

START_TIMEOUT_S: Final = 900.0
CRASHES_AT_START: Final = 3  # a role that cannot start at all ends the start with its reason
LONGEST_PAUSE_S: Final = 30.0
READY_EVERY_S: Final = 0.1
STABLE_S: Final = 60.0
LONGEST_LINE: Final = 1 << 18


class StartError(RuntimeError):
    """A process could not be started; the message has the end of its log."""


class StopRequested(Exception):
    """Somebody asked us to stop while things were still starting."""


@dataclass(frozen=True)
class Job:
    """A process to keep running (or, `once`, to run to its end). Later stages are stopped earlier.

    `answers`: whether a server that shows no pulse is alive, by its pid.
    """

    name: str
    role: str
    stage: int
    command: Callable[[], Command]
    is_ready: Callable[[], bool]
    once: bool = False
    stop_timeout_s: float = 25.0
    answers: Callable[[int], bool] | None = None


@dataclass
class Child:
    """What the supervisor knows about a running job."""

    job: Job
    state: str = "waiting"  # waiting | starting | running | done
    process: subprocess.Popen[bytes] | None = None
    vitals: Vitals | None = None
    started_at: float = 0.0
    next_start: float = 0.0
    next_look: float = 0.0
    failures: int = 0
    restarts: int = 0
    exit_code: int | None = None
    stop_signal: signal.Signals = signal.SIGTERM

    def summary(self) -> dict[str, Any]:
        """For state.json."""
        return {
            "name": self.job.name,
            "role": self.job.role,
            "state": self.state,
            "pid": self.process.pid if self.process else None,
            "started_at": self.started_at,
            "restarts": self.restarts,
            "exit_code": self.exit_code,
        }


class _Speech:
    """What one process says, passed on in whole lines: several processes of a role share a log."""

    def __init__(self, log: BoundedLog) -> None:
        self._log, self._rest = log, b""

    def heard(self, data: bytes) -> None:
        whole, newline, rest = (self._rest + data).rpartition(b"\n")
        if not data or len(rest) > LONGEST_LINE:
            whole, newline, rest = whole + newline + rest, b"\n" if rest else b"", b""
        if whole or newline:
            self._log.write(whole + newline)
        self._rest = rest


class Supervisor:
    """Runs jobs inside one data folder."""

    def __init__(self, home: Home, say: Callable[[str], None]) -> None:
        self._home, self._say = home, say
        self._children: dict[str, Child] = {}
        self._logs: dict[str, BoundedLog] = {}
        self._selector = selectors.DefaultSelector()
        self._signals = 0
        self.facts: dict[str, Any] = {}

    def listen_to_signals(self) -> None:
        """SIGINT and SIGTERM ask for a stop, a second one for an immediate one; a closed terminal counts as one."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def start(self, jobs: Iterable[Job]) -> None:
        """Start jobs and wait until all are ready. Raises StartError, StopRequested."""
        children = [Child(job) for job in jobs]
        self._children |= {child.job.name: child for child in children}
        deadline = time.monotonic() + START_TIMEOUT_S
        while any(child.state not in ("running", "done") for child in children):
            self._step(0.03)
            if self._signals:
                raise StopRequested
            for child in children:
                if child.failures >= CRASHES_AT_START or (child.job.once and child.failures):
                    raise StartError(f"{child.job.name} does not start. {self._end_of_log(child)}")
            if time.monotonic() > deadline:
                late = ", ".join(child.job.name for child in children if child.state != "running")
                raise StartError(f"still not ready after {START_TIMEOUT_S / 60:.0f} minutes: {late}")

    def watch(self) -> None:
        """Keep everything running until somebody asks for a stop."""
        while not self._signals:
            self._step(0.25)

    def stop(self) -> None:
        """End everything, the latest stage first, kindly and then by force."""
        self._signals = 0
        for stage in sorted({child.job.stage for child in self._children.values()}, reverse=True):
            self._stop_stage([child for child in self._children.values() if child.job.stage == stage])
        self._pump(0.0)
        self.note("down")
        for log in self._logs.values():
            log.close()
        self._logs.clear()

    def note(self, event: str, **facts: Any) -> None:
        """A line in the supervisor's own log, and the present state on disk."""
        line = {"timestamp": datetime.now(UTC).isoformat(), "event": event, **facts}
        self._log("supervisor").write(json.dumps(line).encode() + b"\n")
        processes = [child.summary() for child in self._children.values()]
        try:
            self._home.write_state({"pid": os.getpid(), **self.facts, "processes": processes})
        except OSError as error:  # a full disk must not end what still runs
            self._say(f"the state cannot be written: {error}")

    def _on_signal(self, number: int, _frame: object) -> None:
        self._signals += 1
        if self._signals == 1:
            self._say("stopping …")

    def _step(self, wait_s: float) -> None:
        self._pump(wait_s)
        now = time.monotonic()
        for child in self._children.values():
            if child.process is not None and (code := child.process.poll()) is not None:
                self._ended(child, code)
            elif child.state == "starting" and now >= child.next_look:
                # Not at every line that somebody logs: a server that recovers has better to do than to refuse us.
                child.next_look = now + READY_EVERY_S
                if not child.job.is_ready():
                    continue
                child.state = "running"
                self.note("ready", name=child.job.name, seconds=round(time.time() - child.started_at, 2))
            elif child.state == "waiting" and now >= child.next_start:
                self._spawn(child)
            elif child.vitals is not None and (silent := child.vitals.end_the_silent(child.state == "running")):
                self.note("killed_for_its_silence", name=child.job.name, pids=silent)

    def _spawn(self, child: Child) -> None:
        (self._home.run / f"{child.job.name}.ready").unlink(missing_ok=True)
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        child.state, child.started_at = "starting", time.time()
        listening, beating = os.pipe()
        for end in (listening, beating):
            os.set_blocking(end, False)
        self._selector.register(reading, selectors.EVENT_READ, _Speech(self._log(child.job.role)))
        try:
            command = child.job.command()
            child.stop_signal = command.stop_signal
            told = replace(command, env={**command.env, pulse.VARIABLE: str(beating)})
            child.process = spawn(told, writing, (beating,))
        except OSError as error:
            os.write(writing, f"{error}\n".encode())
            os.close(listening)
            self._failed(child, 127)
            return
        finally:
            os.close(writing)
            os.close(beating)
        child.vitals = Vitals(child.process.pid, child.job.answers)
        self._selector.register(listening, selectors.EVENT_READ, child.vitals)
        self.note("started", name=child.job.name, pid=child.process.pid)

    def _ended(self, child: Child, code: int) -> None:
        if child.process is None:
            return
        kill_group(child.process)  # children of the dead one must not meet their successors
        child.process = child.vitals = None
        if child.job.once and code == 0:
            child.state, child.exit_code = "done", 0
            self.note("done", name=child.job.name)
            return
        self._failed(child, code)

    def _failed(self, child: Child, code: int) -> None:
        child.exit_code = code
        child.failures = 1 if time.time() - child.started_at > STABLE_S else child.failures + 1
        pause = min(LONGEST_PAUSE_S, 0.5 * 2 ** (child.failures - 1))
        child.state, child.next_start = "waiting", time.monotonic() + pause
        child.restarts += 1
        self.note("crashed", name=child.job.name, exit_code=code, restart_in_s=pause)

    def _stop_stage(self, children: list[Child]) -> None:
        running = [child for child in children if child.process is not None]
        deadline = time.monotonic() + max((child.job.stop_timeout_s for child in running), default=0.0)
        for child in running:
            if child.process is not None:
                child.process.send_signal(child.stop_signal)
        while any(child.process is not None and child.process.poll() is None for child in running):
            self._pump(0.03)
            if time.monotonic() > deadline or self._signals:
                break
        for child in running:
            if child.process is not None:
                in_time = child.process.poll() is not None
                kill_group(child.process)
                child.exit_code = child.process.wait()
                child.process, child.state = None, "done"
                self.note("stopped", name=child.job.name, exit_code=child.exit_code, in_time=in_time)

    def _pump(self, wait_s: float) -> None:
        """Move what the children said into their logs; waits up to `wait_s` for something to be said."""
        for key, _ in self._selector.select(wait_s):
            listener: _Speech | Vitals = key.data
            data = os.read(key.fd, 1 << 16)
            listener.heard(data)
            if not data:
                self._selector.unregister(key.fd)
                os.close(key.fd)

    def _log(self, role: str) -> BoundedLog:
        if role not in self._logs:
            self._logs[role] = BoundedLog(self._home.log / f"{role}.log")
        return self._logs[role]

    def _end_of_log(self, child: Child) -> str:
        self._pump(0.2)
        path = self._home.log / f"{child.job.role}.log"
        return f"Its log ({path}) ends:\n{tail(path)}"
