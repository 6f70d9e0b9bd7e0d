"""Where requests are handed in: at a Flask app in this process, or at a port somebody listens on."""

import http.client
import io
import socket
import time
from contextlib import suppress
from typing import Any, Final, Protocol
from urllib.parse import unquote_to_bytes

from werkzeug.test import run_wsgi_app

from tests.hostile.drafts import Draft
from tests.hostile.judging import Answer

PATIENCE_S: Final = 60.0


class Door(Protocol):
    """Takes a request and gives the answer, or None where the connection was closed without one."""

    def knock(self, draft: Draft, key: str) -> Answer | None:
        """Send `draft`; with `key` as its credential unless it brings one of its own."""


def headers_of(draft: Draft, key: str) -> list[tuple[bytes, bytes]]:
    """The header fields of a request."""
    own = [name for name, _ in draft.headers]
    credential = [] if b"Authorization" in own else [(b"Authorization", f"Bearer {key}".encode())]
    return [*credential, *draft.headers]


class AppDoor:
    """A WSGI app in this process."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def knock(self, draft: Draft, key: str) -> Answer:
        path, _, query = draft.target.partition(b"?")
        content = draft.content
        environ: dict[str, Any] = {
            "REQUEST_METHOD": draft.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query.decode("latin-1"),
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_LENGTH": str(len(content)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(content),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in headers_of(draft, key):
            field = name.decode().upper().replace("-", "_")
            environ[field if field == "CONTENT_TYPE" else f"HTTP_{field}"] = value.decode("latin-1")
        began = time.monotonic()
        body, status, headers = run_wsgi_app(self._app, environ)
        content = b"".join(body)
        fields = {name.lower(): value for name, value in headers}
        return Answer(int(status.split()[0]), fields, content, time.monotonic() - began)


class PortDoor:
    """A server on loopback, spoken to in bytes over one connection that is opened again when it was closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def knock(self, draft: Draft, key: str) -> Answer | None:
        content = draft.content
        fields = headers_of(draft, key)
        if all(name != b"Host" for name, _ in fields):
            fields.append((b"Host", f"127.0.0.1:{self._port}".encode()))
        fields.append((b"Content-Length", str(len(content)).encode()))
        head = b"".join(b"%b: %b\r\n" % field for field in fields)
        wire = b"%b %b HTTP/1.1\r\n%b\r\n%b" % (draft.method.encode(), draft.target, head, content)
        for attempt in (1, 2):  # a kept connection may have been closed since
            fresh = self._socket is None
            try:
                return self._exchange(wire, draft.method)
            except (OSError, http.client.HTTPException):
                self.close()
                if fresh or attempt == 2:
                    return None
        return None

    def close(self) -> None:
        """End the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _exchange(self, wire: bytes, method: str) -> Answer:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), PATIENCE_S)
        began = time.monotonic()
        with suppress(BrokenPipeError, ConnectionResetError):  # refused before all was read: the answer is there
            self._socket.sendall(wire)
        reply = http.client.HTTPResponse(self._socket, method=method)
        reply.begin()
        body = reply.read()
        if reply.will_close:
            self.close()
        headers = {name.lower(): value for name, value in reply.getheaders()}
        return Answer(reply.status, headers, body, time.monotonic() - began)
