"""A watchdog inside a process that has a loop: does the loop still turn, and does it take what waits for it?

A pulse (deploy.pulse) tells only that the process lives. A loop that stands still, or turns and consumes nothing, is
seen from here and ends its process, so that whoever supervises it (`zhike up`, Docker, Kubernetes) starts another one.
"""

import os
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import redis

from shared import telemetry

LOOK_EVERY_S: Final = 1.0
PATIENCE: Final = 12  # looks in succession: a process that was stopped or starved has not looked meanwhile
_TELLING_S: Final = 2.0  # whoever hangs may hang in what it says, and must not hold up its watchdog as well

_log = telemetry.get_logger(__name__)


class Watchdog:
    """Watches one loop; `queues` are those it consumes while it `has_room`.

    Nothing is held against it while the broker does not answer.
    """

    def __init__(
        self, redis_url: str, queues: Sequence[str] = (), has_room: Callable[[], bool] = lambda: False
    ) -> None:
        self._valkey = redis.Redis.from_url(redis_url, socket_timeout=1.0, socket_connect_timeout=0.5)
        self._queues, self._has_room = queues, has_room
        self._turned, self._still = True, 0
        self._oldest: dict[str, Any] = {}
        self._left: dict[str, int] = {}
        self._ended = threading.Event()

    def turned(self) -> None:
        """To be called by the loop, every few seconds."""
        self._turned = True

    def start(self) -> None:
        """Begin to watch, in a thread."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Watch no longer: the loop ends, as it was asked to."""
        self._ended.set()

    def look(self) -> str | None:
        """One look; what is wrong with the loop, once it has been wrong for long enough."""
        try:
            oldest = self._oldest_messages()
        except redis.RedisError:
            self._still = 0
            self._left.clear()
            return None
        self._still = 0 if self._turned else self._still + 1
        self._turned = False
        if self._still >= PATIENCE:
            return "its loop stands still"
        self._count_left(oldest)
        ignored = next((queue for queue, looks in self._left.items() if looks >= PATIENCE), None)
        return ignored and f"it takes nothing from {ignored}"

    def _oldest_messages(self) -> Mapping[str, Any]:
        """The message of each queue that is to be taken next, None where there is none. Raises redis.RedisError."""
        pipeline = self._valkey.pipeline(transaction=False)
        pipeline.ping()
        for queue in self._queues:
            pipeline.lindex(queue, -1)
        return dict(zip(self._queues, pipeline.execute()[1:], strict=True))

    def _count_left(self, oldest: Mapping[str, Any]) -> None:
        room = self._has_room()
        for queue, message in oldest.items():
            left = room and message is not None and message == self._oldest.get(queue)
            self._left[queue] = self._left.get(queue, 0) + 1 if left else 0
        self._oldest = dict(oldest)

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_EVERY_S):
            wrong = None
            with suppress(RuntimeError):  # sets of Celery's that change while they are counted
                wrong = self.look()
            if wrong is not None and not self._ended.is_set():
                teller = threading.Thread(target=_tell, args=(wrong,), daemon=True)
                teller.start()
                teller.join(_TELLING_S)
                # Not a signal: the first process of a container does not die of its own.
                os._exit(os.EX_TEMPFAIL)


def _tell(wrong: str) -> None:
    """Say why it ends, and where the loop is."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    where = "".join(traceback.format_stack(frame)[-12:]) if frame is not None else ""
    _log.error("ended_by_its_watchdog", why=wrong, main_thread=where)
