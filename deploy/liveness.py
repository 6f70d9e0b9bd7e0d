"""Who is alive? A process that was ended is seen by itself; one that is frozen, or stuck for good, is seen here.

Python processes of ours, their children included, show a pulse (deploy.pulse); servers are asked. Nobody is silent
who computes, or would if a core were free: native code may hold the interpreter's lock for long, a training or an
import takes its time, and on a busy machine everything does.
"""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import psutil

from deploy.pulse import MESSAGE

SILENT_S: Final = 10.0
STOPPED_S: Final = 5.0  # held by SIGSTOP: nothing to be in doubt about
LOOK_EVERY_S: Final = 1.0
ASK_EVERY_S: Final = 3.0
# What one look can add: a machine that slept, or a supervisor that was held up itself, is nobody's silence.
_MOST_AT_ONCE_S: Final = 4.0
_COMPUTES_S: Final = 0.02  # of processor time since it fell silent


@dataclass
class _Patient:
    """One process that has shown a pulse."""

    heard: bool = True
    silent_s: float = 0.0
    processor_s: float = 0.0


@dataclass
class Vitals:
    """The signs of life of one job: the process `pid` and those it started. `answers`: how a server is asked."""

    pid: int
    answers: Callable[[int], bool] | None = None
    _patients: dict[int, _Patient] = field(default_factory=dict)
    _looked_at: float = field(default_factory=time.monotonic)
    _asked_at: float = 0.0
    _rest: bytes = b""

    def heard(self, data: bytes) -> None:
        """Take in what came out of the pipe."""
        data = self._rest + data
        whole = len(data) - len(data) % MESSAGE.size
        self._rest = data[whole:]
        for (pid,) in MESSAGE.iter_unpack(data[:whole]):
            self._patients.setdefault(pid, _Patient()).heard = True

    def end_the_silent(self, is_up: bool) -> list[int]:
        """Kill every process that has been silent for too long; returns their pids. At most one look a second.

        A server is asked once it `is_up`: until then it may be busy with what it finds on its disk.
        """
        now = time.monotonic()
        passed = now - self._looked_at
        if passed < LOOK_EVERY_S:
            return []
        self._looked_at = now
        if is_up:
            self._ask(now)
        silent = [pid for pid in list(self._patients) if self._is_silent(pid, min(passed, _MOST_AT_ONCE_S))]
        for pid in silent:
            self._patients.pop(pid, None)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return silent

    def _is_silent(self, pid: int, passed_s: float) -> bool:
        patient = self._patients[pid]
        if patient.heard:
            patient.heard, patient.silent_s = False, 0.0
            return False
        try:
            process = psutil.Process(pid)
            ours = pid == self.pid or self.pid in [parent.pid for parent in process.parents()]
            times = process.cpu_times()
            status = process.status()
        except psutil.Error:
            ours = False
        if not ours:
            del self._patients[pid]
            return False
        processor_s = times.user + times.system
        if (
            status == psutil.STATUS_RUNNING
            or patient.silent_s == 0.0
            or processor_s - patient.processor_s >= _COMPUTES_S
        ):
            patient.silent_s, patient.processor_s = 0.0, processor_s
        patient.silent_s += passed_s
        return patient.silent_s > (STOPPED_S if status == psutil.STATUS_STOPPED else SILENT_S)

    def _ask(self, now: float) -> None:
        """An answer is as good as a pulse."""
        if self.answers is not None and now - self._asked_at >= ASK_EVERY_S:
            self._asked_at = now
            answered = self.answers(self.pid)
            self._patients.setdefault(self.pid, _Patient()).heard = answered


def is_not_stopped(pid: int) -> bool:
    """Whether a process is not held by SIGSTOP: all that is asked of a database, for a slow one must not be killed."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_STOPPED)
    except psutil.NoSuchProcess:
        return True  # its end is seen elsewhere
