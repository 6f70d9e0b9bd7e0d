"""A small listener for one page: the metrics of a process that has no port of its own for them.

It never serves anything else, keeps no connection and holds no lock that a fork could copy in a locked state.
"""

import json
import os
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST

from shared import metrics, process, telemetry

LISTEN_VARIABLE: Final = "ZHIKE_METRICS_LISTEN"  # host:port; port 0: any free one; unset: nobody listens
FOLDER_VARIABLE: Final = "ZHIKE_METRICS_FOLDER"  # where the address is written down for who collects them
PORT: Final = 9464  # where each container listens
_log = telemetry.get_logger(__name__)


class _Page(BaseHTTPRequestHandler):
    """GET /metrics."""

    timeout = 5.0
    page: "staticmethod[[], bytes]"

    def do_GET(self) -> None:
        """The page, or 404."""
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(404)
            return
        body = self.page()
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE_LATEST)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """A scrape is not worth a line."""


def serve(host: str, port: int, page: Callable[[], bytes]) -> HTTPServer:
    """A server of `page` that the caller runs. Raises OSError where nobody can listen there."""
    return HTTPServer((host, port), type("_ThisPage", (_Page,), {"page": staticmethod(page)}))


def start() -> tuple[str, int] | None:
    """Listen where the environment says and write the address down; None where it says nothing or it cannot be."""
    wanted = os.environ.get(LISTEN_VARIABLE, "")
    host, _, port = wanted.rpartition(":")
    if not host or not port.isdigit():
        return None
    try:
        server = serve(host, int(port), metrics.page)
    except OSError as error:  # metrics are never worth a role
        _log.warning("metrics_not_listening", address=wanted, error=str(error))
        return None
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    _write_down(server.server_port)
    return host, server.server_port


def _write_down(port: int) -> None:
    folder, who = os.environ.get(FOLDER_VARIABLE), process.identity()
    if not folder or who is None:
        return
    path = Path(folder) / f"{who.instance}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        building = path.with_suffix(".building")
        building.write_text(json.dumps({"role": who.role, "instance": who.instance, "port": port}))
        building.replace(path)
    except OSError as error:
        _log.warning("metrics_address_not_written", error=str(error))
