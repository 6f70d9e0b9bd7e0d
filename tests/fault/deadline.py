"""Every run ends by itself: in time it is interrupted with a reason, and if that does not help the process ends."""

import faulthandler
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

# For stopping the platform once the run was interrupted; each step of that is bounded by itself.
_ENDS_WITHIN_S: Final = 300.0


class OutOfTimeError(RuntimeError):
    """The run has taken too long; the text says where it was."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise OutOfTimeError in the main thread when the block takes longer, whatever it waits for."""

    def ring(_signal: int, frame: FrameType | None) -> None:
        place = "".join(traceback.format_stack(frame)[-4:])
        raise OutOfTimeError(f"not ended after {seconds:.0f} s; it was at\n{place}")

    before = signal.signal(signal.SIGALRM, ring)
    # Again and again: whoever swallows the first one is interrupted by the next.
    signal.setitimer(signal.ITIMER_REAL, seconds, 10.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def at_the_latest(seconds: float) -> Iterator[None]:
    """End this process, with what each thread was doing, when even the end of the block hangs.

    The platform ends with us: its supervisor is told by the kernel.
    """
    faulthandler.dump_traceback_later(seconds + _ENDS_WITHIN_S, exit=True, file=sys.__stderr__)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
