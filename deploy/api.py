"""One API process: gunicorn with threads. Several may share a port (SO_REUSEPORT), so each scales by itself."""

import gc
import json
import logging
import os
import signal
import socket
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from gunicorn import util
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from deploy import observed, pulse, topology
from deploy.ready import announce_ready
from shared import process, telemetry, tracing
from shared.config import load_settings


class _Log(Logger):
    """gunicorn's own messages as lines of our structured log; requests are logged by shared.web."""

    def setup(self, cfg: Any) -> None:
        self.loglevel = logging.INFO
        self.error_log.propagate = True
        self.error_log.setLevel(logging.INFO)
        self._access_log_enabled = False  # else it is worked out anew at each request

    def reopen_files(self) -> None: ...


class _Server(BaseApplication):
    """gunicorn told by code, not by its command line or files."""

    def __init__(self, service: str, options: dict[str, Any]) -> None:
        self._service, self._options = service, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        module = import_module(f"services.{self._service}.app")
        settings = load_settings(self._service)
        return module.create_app(replace(settings, pool_size=min(settings.pool_size, self.cfg.threads)))


def _refuse(client: socket.socket, status: int, reason: str, message: str) -> None:
    """What gunicorn itself refuses, before it is a request of ours, in the shape of every other refusal."""
    told = " ".join(message.split()) or reason
    code = reason.lower().replace(" ", "_")
    problem = {"type": "about:blank", "title": reason, "status": status, "code": code, "detail": told, "message": told}
    body = json.dumps(problem)
    fields = f"Connection: close\r\nContent-Type: application/problem+json\r\nContent-Length: {len(body)}"
    util.write_nonblock(client, f"HTTP/1.1 {status} {reason}\r\n{fields}\r\n\r\n{body}".encode())


def _settle_down() -> None:
    # What has been loaded by now stays: the collector of garbage need not look through it again and again, nor start
    # at every few hundred objects, which is what one request makes.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def run(service: str, host: str, port: int) -> None:
    """Serve a service's API until SIGTERM; requests in progress are finished."""
    pulse.start()
    settings = load_settings(service)  # a missing variable is said once here, not by each worker again and again
    process.introduce(f"{service}-api")
    telemetry.configure(service, settings.log_level)

    def begin(_worker: object) -> None:
        who = process.identity()
        tracing.configure(service, who.role if who else "", who.instance if who else "")
        observed.show(settings.redis_url, "api", lambda: {"service": service, "port": port})
        _settle_down()
        announce_ready()

    util.write_error = _refuse  # gunicorn offers no other way
    shared_memory = Path("/dev/shm")  # noqa: S108  # a heartbeat file must not wait for a disk
    options = {
        "bind": f"{host}:{port}",
        "reuse_port": hasattr(signal, "SIGRTMIN"),  # Linux spreads connections over listeners, others do not
        "workers": 1,
        "worker_class": "deploy.lingering.LingeringWorker",
        "threads": int(os.environ.get("ZHIKE_API_THREADS") or topology.role(f"{service}-api").concurrency),
        "keepalive": 75,  # longer than the proxy keeps idle connections, or it would write into closed ones
        "timeout": 90,
        "graceful_timeout": 20,
        "limit_request_line": 8190,
        "limit_request_fields": 64,
        "limit_request_field_size": 16380,
        "worker_tmp_dir": str(shared_memory) if shared_memory.is_dir() else None,
        "control_socket_disable": True,
        "logger_class": _Log,
        "proc_name": f"zhike-{service}-api",
        "post_fork": lambda _server, _worker: pulse.start(),
        "post_worker_init": begin,
        "worker_exit": lambda _server, _worker: tracing.flush(),
    }
    _Server(service, options).run()
