"""A client that costs little: ready-made requests over kept connections, so that the server is what is measured."""

import socket
import time
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit


class LoadError(RuntimeError):
    """The server answered something other than 200."""


@dataclass(frozen=True)
class Target:
    """One route of a server on loopback, and the key it wants."""

    url: str
    key: str = ""

    def request(self, body: bytes) -> bytes:
        """The bytes of one POST."""
        parts = urlsplit(self.url)
        head = (
            f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {self.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def connect(self) -> "Connection":
        """A new connection to the server."""
        parts = urlsplit(self.url)
        return Connection(parts.hostname or "127.0.0.1", parts.port or 80)


class Connection:
    """One kept connection, opened again when the server closes it (gunicorn does, now and then)."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._socket = self._open()

    def send(self, request: bytes) -> bytes:
        """Send a ready-made request and return the body of its answer. Raises LoadError unless it is a 200."""
        try:
            self._socket.sendall(request)
            return self._answer()
        except (ConnectionError, EOFError):
            self._socket.close()
            self._socket = self._open()
            self._socket.sendall(request)
            return self._answer()

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    def _open(self) -> socket.socket:
        opened = socket.create_connection(self._address, timeout=60)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened

    def _answer(self) -> bytes:
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._received()
        head, body = data[:end].lower(), data[end + 4 :]
        length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        while len(body) < length:
            body += self._received()
        if not head.startswith(b"http/1.1 200"):
            raise LoadError(data[:end].decode("latin1") + "\n" + body[:500].decode("utf-8", "replace"))
        return body

    def _received(self) -> bytes:
        data = self._socket.recv(1 << 16)
        if not data:
            raise EOFError
        return data


def seconds_to_send(target: Target, bodies: Sequence[bytes], connections: int) -> float:
    """Seconds until every body was answered with 200, over so many connections at once."""
    requests = deque(target.request(body) for body in bodies)
    with ThreadPoolExecutor(connections) as pool:
        started = time.perf_counter()
        for finished in [pool.submit(_send_next, target, requests) for _ in range(connections)]:
            finished.result()
        return time.perf_counter() - started


def _send_next(target: Target, requests: deque[bytes]) -> None:
    # Whichever connection is free takes the next. The kernel deals connections out to the processes of a server by
    # chance, seldom evenly: with shares dealt out beforehand the time would be that of the unluckiest process.
    connection = target.connect()
    try:
        while requests:
            try:
                request = requests.popleft()
            except IndexError:  # another connection took the last one
                return
            connection.send(request)
    finally:
        connection.close()


def latencies_at(target: Target, bodies: Sequence[bytes], connections: int, rate: float) -> list[float]:
    """Seconds from when each request was due, at `rate` a second, to its answer: one that waits for others waits."""
    requests = [target.request(body) for body in bodies]
    started = time.perf_counter() + 0.1
    due = [(started + number / rate, request) for number, request in enumerate(requests)]
    with ThreadPoolExecutor(connections) as pool:
        shares = [pool.submit(_send_when_due, target, due[number::connections]) for number in range(connections)]
        return [seconds for share in shares for seconds in share.result()]


def _send_when_due(target: Target, due: Iterable[tuple[float, bytes]]) -> list[float]:
    connection = target.connect()
    found = []
    try:
        for at, request in due:
            time.sleep(max(0.0, at - time.perf_counter()))
            connection.send(request)
            found.append(time.perf_counter() - at)
    finally:
        connection.close()
    return found
