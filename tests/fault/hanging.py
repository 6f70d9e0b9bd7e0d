"""Faults of a loop: it hangs while its process lives and breathes, or it turns and no longer consumes."""

import ctypes
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import psutil
from celery import Celery

from deploy.topology import queues_of, scales
from tests.fault.field import Field, NotPossible, Struck
from tests.fault.installation import SCALE

HELD_FOR_GOOD_S: Final = 600.0
_ASLEEP_WITHIN_S: Final = 10.0
_SEIZE: Final = 0x4206
_INTERRUPT: Final = 0x4207
_DETACH: Final = 17
_ANY_THREAD: Final = 0x40000000
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class Held:
    """The main thread of a process, held still as a debugger does it; its other threads and its children go on.

    Raises NotPossible where this system does not let us.
    """

    of = ""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.until = time.monotonic() + HELD_FOR_GOOD_S
        self._released, self._begun = threading.Event(), threading.Event()
        self._refusal: str | None = None
        threading.Thread(target=self._hold, daemon=True).start()
        self._begun.wait()
        if self._refusal is not None:
            raise NotPossible(self._refusal)

    def thaw(self) -> None:
        """Let it go on."""
        self._released.set()

    def _hold(self) -> None:
        # All requests have to come from one thread: the one that holds.
        try:
            self._ask(_SEIZE)
            self._await_sleep()
            self._ask(_INTERRUPT)
        except OSError as error:
            self._refusal = f"a thread cannot be held here: {error}"
            return
        finally:
            self._begun.set()
        with suppress(ChildProcessError):
            while not self._released.wait(0.1) and time.monotonic() < self.until:
                seen, status = os.waitpid(self._pid, os.WNOHANG | _ANY_THREAD)
                if seen and not os.WIFSTOPPED(status):
                    return  # it has died, and its parent can be told now that we have seen it
        with suppress(OSError):
            self._ask(_DETACH)

    def _await_sleep(self) -> None:
        """Who sleeps holds no lock of the interpreter, which the other threads need to live on."""
        deadline = time.monotonic() + _ASLEEP_WITHIN_S
        with suppress(psutil.NoSuchProcess):
            while psutil.Process(self._pid).status() != psutil.STATUS_SLEEPING and time.monotonic() < deadline:
                time.sleep(0.01)

    def _ask(self, request: int) -> None:
        if _LIBC.ptrace(request, self._pid, None, None) == -1:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))


def hang_loop(roles: Sequence[str], windows: int = 0) -> Callable[[Field], Struck]:
    """The loop of one process of these roles stands still, for good."""

    def strike(field: Field) -> Struck:
        target = field.pick(roles)
        process = field.platform.process(target)
        field.frozen.append(Held(process.pid))
        return Struck(f"the loop of {target.name}", windows * target.role.startswith("campaign"), [process])

    return strike


def stop_consuming(roles: Sequence[str]) -> Callable[[Field], Struck]:
    """One worker of these roles takes nothing from its queues any more, and says nothing about it."""

    def strike(field: Field) -> Struck:
        target = field.pick(roles)
        process = field.platform.process(target)
        told = Celery(broker=field.platform.redis_url).control
        host = f"{target.role.partition('-')[0]}-{process.pid}@{socket.gethostname()}"
        for queue in queues_of(target.role, scales(SCALE)):
            told.cancel_consumer(queue, destination=[host])
        return Struck(f"{target.name} turns deaf", frozen=[process])

    return strike
