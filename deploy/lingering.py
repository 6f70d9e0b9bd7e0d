"""gunicorn's threads, which stay for a moment with the connection they have answered."""

import select
import threading
from typing import Any, Final

from gunicorn.workers.gthread import ThreadWorker


class LingeringWorker(ThreadWorker):
    """gunicorn's thread worker, without the way back to the main loop where the next request is there at once.

    That way, and from there to another thread, is two wake-ups and two turns at the interpreter for each request: an
    eighth of what a small one costs (docs/decisions/0019). Our proxy and the SDKs of servers keep their connections and
    ask again within a millisecond while there is much to do. Nobody waits for that longer than a moment: a thread whom
    another connection waits for goes on to that one.
    """

    linger_ms: float = 2.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting = 0
        self._count: Final = threading.Lock()

    def enqueue_req(self, conn: Any) -> None:
        """Have a thread answer what has come on a connection."""
        with self._count:
            self._waiting += 1
        super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        """Answer the request, and those that follow it at once; what gunicorn's own says of the last."""
        with self._count:
            self._waiting -= 1
        kept = super().handle(conn)
        while kept is True and self._goes_on(conn):
            kept = super().handle(conn)
        return kept

    def _goes_on(self, conn: Any) -> bool:
        if self._waiting or conn.is_http2:
            return False
        if conn.parser.unreader.buf.getvalue():  # it came together with the one before
            return True
        ready = select.poll()
        ready.register(conn.sock, select.POLLIN)
        return bool(ready.poll(self.linger_ms))
