"""One worker process: a service's Celery app with a pool of children, on the queues it is told."""

import logging
import os
import socket
import time
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from celery.signals import worker_process_init, worker_ready, worker_shutting_down
from celery.worker import state

from deploy import observed, pulse, topology
from deploy.ready import announce_ready
from deploy.watchdog import LOOK_EVERY_S, Watchdog
from shared import process


def run(service: str, queues: Sequence[str], concurrency: int) -> int:
    """Consume `queues` until SIGTERM, finishing the tasks in hand; returns the exit code."""
    pulse.start()
    observed.count_over_children()
    process.introduce(_role_of(service, queues))
    app = import_module(f"services.{service}.worker").app
    about = {"service": service, "queues": list(queues), "concurrency": concurrency}

    watchdog = Watchdog(app.conf.broker_url, queues, lambda: len(state.active_requests) < concurrency)

    def on_ready(sender: Any, **_: object) -> None:
        sender.hub.call_repeatedly(LOOK_EVERY_S, watchdog.turned)
        watchdog.start()
        observed.show(app.conf.broker_url, "worker", lambda: {**about, "tasks": _in_hand()})
        announce_ready()

    worker_ready.connect(on_ready, weak=False)
    worker_shutting_down.connect(lambda **_: watchdog.stop(), weak=False)
    worker_process_init.connect(_on_fork)
    # Tasks are JSON, never pickles, so what Celery fears of root cannot happen.
    warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")
    for chatty in (
        "celery.worker.strategy",
        "celery.app.trace",
    ):  # two lines per task; failures are logged all the same
        logging.getLogger(chatty).setLevel(logging.WARNING)
    worker = app.Worker(
        hostname=f"{service}-{os.getpid()}@{socket.gethostname()}",
        queues=",".join(queues),
        concurrency=concurrency,
        pool="prefork",
        loglevel="INFO",
        quiet=True,
        # Workers need not know each other: quicker starts, and no chatter on the broker.
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


def _on_fork(**_: object) -> None:
    pulse.start()  # a child has none of its parent's threads


def _role_of(service: str, queues: Sequence[str]) -> str:
    """The name of the role that consumes these queues, where no supervisor has named it."""
    fitting = (role.name for role in topology.ROLES if role.service == service and set(queues) == set(role.queues))
    return next(fitting, f"{service}-worker")


def _in_hand() -> list[dict[str, Any]]:
    """The tasks that the children work on now, and for how long already."""
    now = time.monotonic()
    return [
        {"task": request.name, "seconds": round(now - request.time_start, 1) if request.time_start else None}
        for request in list(state.active_requests)
    ]
