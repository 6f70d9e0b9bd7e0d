"""What can be struck, and what sleeps of it."""

import random
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil

from deploy.pulse import EVERY_S, MESSAGE, VARIABLE
from tests.fault.disk import Disk
from tests.fault.installation import Installation, Target
from tests.fault.sink import Sink


class NotPossible(Exception):
    """This fault cannot be made here, or not now; the text says why."""


@dataclass(frozen=True)
class Struck:
    """What was hit, how many hand-over windows may have been interrupted by that, and who is frozen for good."""

    target: str
    windows: int = 0
    frozen: Sequence[psutil.Process] = ()


class Sleeper(Protocol):
    """Something of the service `of` that stands still, `until` somebody wakes it or the time is over."""

    of: str
    until: float

    def thaw(self) -> None:
        """Wake it now."""


@dataclass
class Field:
    """All that can be struck, and the dice."""

    platform: Installation
    sink: Sink
    disk: Disk
    dice: random.Random
    frozen: list["Sleeper"] = field(default_factory=list)

    def pick(self, roles: Sequence[str]) -> Target:
        """One running process of these roles. Raises NotPossible."""
        found = self.platform.targets(roles)
        if not found:
            raise NotPossible(f"none of {', '.join(roles)} runs")
        return self.dice.choice(found)

    def child_of(self, target: Target) -> psutil.Process:
        """One of the processes that do the target's work."""
        children = self.platform.process(target).children()
        if not children:
            raise NotPossible(f"{target.name} has no children")
        return self.dice.choice(children)

    def check_nobody_sleeps(self, schema: str) -> None:
        """Somebody of the service must be left. Raises NotPossible."""
        if any(one.until > time.monotonic() and one.of == schema for one in self.frozen):
            raise NotPossible("another one is still frozen")

    def thaw_all(self) -> None:
        """Wake whatever sleeps."""
        for one in self.frozen:
            one.thaw()
        self.frozen.clear()


class Frozen:
    """Processes of the service `of`, stopped in the middle of what they did, woken after a time or when asked.

    `unseen`: their pulse goes on meanwhile, as if their machine stood still and not they; the supervisor leaves them.
    """

    def __init__(
        self, processes: Sequence[psutil.Process], seconds: float, of: str = "", *, unseen: bool = False
    ) -> None:
        self._processes, self.of = list(processes), of
        for process in self._processes:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        self.until = time.monotonic() + seconds
        self._thawed = threading.Event()
        threading.Thread(target=self._hold, args=(seconds, unseen), daemon=True).start()

    def thaw(self) -> None:
        """Wake them now."""
        self._thawed.set()
        self._wake()

    def _hold(self, seconds: float, unseen: bool) -> None:
        while time.monotonic() < self.until and not self._thawed.is_set():
            for process in self._processes if unseen else ():
                _pulse_for(process)
            self._thawed.wait(min(seconds, EVERY_S))
        self._wake()

    def _wake(self) -> None:
        for process in self._processes:
            with suppress(psutil.NoSuchProcess):
                process.resume()


def _pulse_for(process: psutil.Process) -> None:
    """Write into the pipe what the process would write if it could."""
    with suppress(psutil.Error, OSError, KeyError):
        pipe = Path(f"/proc/{process.pid}/fd/{process.environ()[VARIABLE]}")
        with pipe.open("wb", buffering=0) as opened:
            opened.write(MESSAGE.pack(process.pid))
