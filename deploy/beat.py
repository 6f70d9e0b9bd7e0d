"""The clock: sends every service's sweeps when they are due. A second beat waits until the first is gone."""

import logging
import os
import socket
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import psutil
import redis
from celery.beat import PersistentScheduler
from celery.signals import beat_init

from deploy import observed, pulse
from deploy.ready import announce_ready
from deploy.watchdog import Watchdog
from shared import contracts, metrics, process, queue, telemetry

LEASE_KEY: Final = "zhike:beat"
LEASE_MS: Final = 12_000
_WAIT_S: Final = 3.0

_LEADING: Final = metrics.gauge("zhike_beat_leading", "Whether this beat holds the lease and sends what is due.")
_LAST_TICK: Final = metrics.gauge("zhike_beat_last_tick_seconds", "When a beat last sent what was due (Unix time).")

# Take the lease when it is free, keep it when it is ours.
_HOLD: Final = """
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
# Take it from the very owner that was found dead.
_TAKE: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[3] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""


class LeasedScheduler(PersistentScheduler):
    """Celery's scheduler with its file, ticking only while it holds the lease in Valkey; it tells `on_tick`."""

    on_tick: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._place = f"{socket.gethostname()}/{_pid_namespace()}"
        self._me = f"{self._place}:{os.getpid()}"
        self._valkey = redis.Redis.from_url(self.app.conf.broker_url, socket_timeout=2.0, socket_connect_timeout=2.0)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due; returns the seconds until the next look."""
        self.on_tick()
        try:
            leading = self._valkey.eval(_HOLD, 1, LEASE_KEY, self._me, LEASE_MS) or self._inherit()
        except redis.RedisError:
            leading = 0  # nothing can be sent now anyway
        _LEADING.set(1 if leading else 0)
        if not leading:
            return _WAIT_S
        _LAST_TICK.set_to_current_time()
        return min(super().tick(*args, **kwargs), _WAIT_S)

    def _inherit(self) -> bool:
        """Whether the lease was that of a process of this machine that is dead: then it need not be waited for."""
        owner = self._valkey.get(LEASE_KEY)
        if not isinstance(owner, bytes):
            return False
        place, _, pid = owner.decode().rpartition(":")
        if place != self._place or not pid.isdecimal() or psutil.pid_exists(int(pid)):
            return False
        return bool(self._valkey.eval(_TAKE, 1, LEASE_KEY, self._me, LEASE_MS, owner))

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
    pulse.start()
    process.introduce("beat")
    telemetry.configure("beat", os.environ.get("ZHIKE_LOG_LEVEL", "info"))
    app = queue.create_beat(redis_url, schedule())

    watchdog = Watchdog(redis_url)

    def on_init(sender: Any, **_: object) -> None:
        sender.scheduler.on_tick = watchdog.turned
        watchdog.start()
        observed.show(redis_url, "beat", lambda: {"leading": bool(_LEADING._value.get())})
        announce_ready()

    beat_init.connect(on_init, weak=False)
    schedule_file.parent.mkdir(parents=True, exist_ok=True)
    logging.getLogger("celery.beat").setLevel(logging.WARNING)  # a line per task sent, every second
    app.Beat(schedule=str(schedule_file), scheduler_cls=LeasedScheduler, loglevel="INFO", quiet=True).run()


def _pid_namespace() -> str:
    """Where a pid means something: the same number in another container is another process."""
    try:
        return Path("/proc/self/ns/pid").readlink().name
    except OSError:
        return ""
