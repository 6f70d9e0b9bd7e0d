"""Work that several threads have at the same time, done in one go: what costs a commit each costs one for all.

Nobody waits for company. Whoever comes first works at once; who comes while as many rounds as may be are under way
waits for the end of one, and then one of those does the work of all who wait.
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
class _Place(Generic[T]):
    """One thread's work, and what it waits for: that the work is done, or that it is to work on a round of many."""

    item: T
    round: "list[_Place[T]]" = field(default_factory=list)
    error: BaseException | None = None
    wake: threading.Lock = field(default_factory=_closed)


class Together(Generic[T]):
    """`work` is called with all that has come together, by at most `at_once` threads at a time.

    Where it raises an error of which `divides` says that it may be the fault of one item only, each item is worked
    on by itself, so that a bad one does not cost the others.
    """

    def __init__(
        self, work: Callable[[list[T]], object], divides: Callable[[BaseException], bool], at_once: int = 1
    ) -> None:
        self._work, self._divides, self._at_once = work, divides, at_once
        self._lock = threading.Lock()
        self._waiting: list[_Place[T]] = []
        self._rounds = 0

    def do(self, item: T) -> None:
        """Have `item` worked on, and wait for it. Raises what the work raised."""
        place = _Place(item)
        with self._lock:
            if self._rounds < self._at_once:
                self._rounds += 1
                place.round = [place]
            else:
                self._waiting.append(place)
        if not place.round:
            place.wake.acquire()
        if place.round:
            self._lead(place)
        if place.error is not None:
            raise place.error

    def _lead(self, own: _Place[T]) -> None:
        try:
            self._run(own.round)
        finally:
            with self._lock:
                following, self._waiting = self._waiting, []
                if following:
                    following[0].round = following
                else:
                    self._rounds -= 1
            if following:
                following[0].wake.release()
            for place in own.round:
                if place is not own:
                    place.wake.release()

    def _run(self, places: list[_Place[T]]) -> None:
        try:
            self._work([place.item for place in places])
        except BaseException as error:  # noqa: BLE001  # raised again by do(), in each thread whose work it was
            if len(places) > 1 and self._divides(error):
                for place in places:
                    self._run([place])
            else:
                for place in places:
                    place.error = error
