"""The clock: sends every service's sweeps when they are due. A second beat waits until the first is gone."""

import logging
import os
import socket
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import redis
from celery.beat import PersistentScheduler
from celery.signals import beat_init

from deploy.ready import announce_ready
from shared import contracts, queue, telemetry

LEASE_KEY: Final = "zhike:beat"
LEASE_MS: Final = 15_000
_WAIT_S: Final = 3.0

# Take the lease when it is free, keep it when it is ours.
_HOLD: Final = """
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""


class LeasedScheduler(PersistentScheduler):
    """Celery's scheduler with its file, ticking only while it holds the lease in Valkey."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._me = f"{socket.gethostname()}:{os.getpid()}"
        self._valkey = redis.Redis.from_url(self.app.conf.broker_url, socket_timeout=2.0, socket_connect_timeout=2.0)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due; returns the seconds until the next look."""
        try:
            leading = self._valkey.eval(_HOLD, 1, LEASE_KEY, self._me, LEASE_MS)
        except redis.RedisError:
            leading = 0  # nothing can be sent now anyway
        return min(super().tick(*args, **kwargs), _WAIT_S) if leading else _WAIT_S

    def close(self) -> None:
        """Give the lease back, so that the next beat starts at once."""
        try:
            if self._valkey.get(LEASE_KEY) == self._me.encode():
                self._valkey.delete(LEASE_KEY)
        except redis.RedisError:
            pass  # it expires by itself
        super().close()


def schedule() -> dict[str, Any]:
    """Every service's SCHEDULE in one: task name -> seconds or crontab. Raises KeyError for an unknown task."""
    entries: dict[str, Any] = {}
    for service in contracts.SERVICES:
        entries |= getattr(import_module(f"services.{service}.tasks"), "SCHEDULE", {})
    return entries


def run(redis_url: str, schedule_file: Path) -> None:
    """Send what is due until SIGTERM."""
    telemetry.configure("beat", os.environ.get("ZHIKE_LOG_LEVEL", "info"))
    app = queue.create_beat(redis_url, schedule())
    beat_init.connect(_on_init)
    schedule_file.parent.mkdir(parents=True, exist_ok=True)
    logging.getLogger("celery.beat").setLevel(logging.WARNING)  # a line per task sent, every second
    app.Beat(schedule=str(schedule_file), scheduler_cls=LeasedScheduler, loglevel="INFO", quiet=True).run()


def _on_init(**_: object) -> None:
    announce_ready()
