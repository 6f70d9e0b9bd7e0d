"""One worker process: a service's Celery app with a pool of children, on the queues it is told."""

import logging
import os
import socket
import warnings
from collections.abc import Sequence
from importlib import import_module

from celery.signals import worker_process_init, worker_ready

from deploy import pulse
from deploy.ready import announce_ready


def run(service: str, queues: Sequence[str], concurrency: int) -> int:
    """Consume `queues` until SIGTERM, finishing the tasks in hand; returns the exit code."""
    pulse.start()
    app = import_module(f"services.{service}.worker").app
    worker_ready.connect(_on_ready)
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


def _on_ready(**_: object) -> None:
    announce_ready()
