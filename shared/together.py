"""Work that several threads have at the same time, done in one go: what costs a commit each costs one for all.

Nobody waits for company. Whoever comes first works at once; who comes meanwhile waits for the end of that, and then
one of those does the work of all who wait.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


def _closed() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(eq=False)
class _Place:
    """One thread's work, and what it waits for: that the work is done, or that it is to lead the next round."""

    leads: bool = False
    error: BaseException | None = None
    wake: threading.Lock = field(default_factory=_closed)


class Together(Generic[T]):
    """`work` is called with all that has come together, by one thread at a time.

    Where it raises an error of which `divides` says that it may be the fault of one item only, each item is worked
    on by itself, so that a bad one does not cost the others.
    """

    def __init__(self, work: Callable[[list[T]], object], divides: Callable[[BaseException], bool]) -> None:
        self._work, self._divides = work, divides
        self._lock = threading.Lock()
        self._waiting: list[tuple[_Place, T]] = []
        self._busy = False

    def do(self, item: T) -> None:
        """Have `item` worked on, and wait for it. Raises what the work raised."""
        place = _Place()
        with self._lock:
            self._waiting.append((place, item))
            leads, self._busy = not self._busy, True
        if not leads:
            place.wake.acquire()
            leads = place.leads
        if leads:
            self._lead(place)
        if place.error is not None:
            raise place.error

    def _lead(self, own: _Place) -> None:
        with self._lock:
            taken, self._waiting = self._waiting, []
        try:
            self._run(taken)
        finally:
            with self._lock:
                following = self._waiting[0][0] if self._waiting else None
                self._busy = following is not None
            if following is not None:
                following.leads = True
                following.wake.release()
            for place, _ in taken:
                if place is not own:
                    place.wake.release()

    def _run(self, taken: list[tuple[_Place, T]]) -> None:
        try:
            self._work([item for _, item in taken])
        except BaseException as error:  # noqa: BLE001  # raised again by do(), in each thread whose work it was
            if len(taken) > 1 and self._divides(error):
                for one in taken:
                    self._run([one])
            else:
                for place, _ in taken:
                    place.error = error
