"""Which processes there are: each says so every few seconds in Valkey, so that it is known wherever they run.

A hash of instance -> what the process last said. Without Valkey nobody is known, and everything else goes on.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, Final

import orjson
import psutil
import redis

from shared import process, telemetry

KEY: Final = "zhike:processes"
EVERY_S: Final = 5.0
QUIET_S: Final = 20.0  # who has said nothing for so long is gone, or hangs
FORGOTTEN_S: Final = 900.0
_log = telemetry.get_logger(__name__)


def start(redis_url: str, about: Callable[[], dict[str, Any]] = dict) -> threading.Event:
    """Begin to say in a thread that this process lives; `about` adds what is particular. Set the event to end it."""
    ended = threading.Event()
    valkey = redis.Redis.from_url(redis_url, socket_timeout=1.0, socket_connect_timeout=0.5)
    threading.Thread(target=_beat, args=(valkey, about, ended), name="heartbeat", daemon=True).start()
    return ended


def said(valkey: "redis.Redis", now: float | None = None) -> list[dict[str, Any]]:
    """What every process last said, by role and instance, `age_seconds` ago; `alive` where that is recent.

    Raises redis.RedisError.
    """
    now = now or time.time()
    found = []
    kept: Any = valkey.hgetall(KEY)
    for instance, text in kept.items():
        told = orjson.loads(text)
        age = max(0.0, now - told["at"])
        if age > FORGOTTEN_S:
            valkey.hdel(KEY, instance)
        else:
            found.append({**told, "age_seconds": round(age, 1), "alive": age <= QUIET_S})
    return sorted(found, key=lambda told: (told["role"], told["instance"]))


def _beat(valkey: "redis.Redis", about: Callable[[], dict[str, Any]], ended: threading.Event) -> None:
    who, last_cpu, last_at = process.identity(), 0.0, 0.0
    while who is not None:
        try:
            used, at = process.usage(who.root_pid), time.time()
            busy = (used.cpu_seconds - last_cpu) / (at - last_at) if last_at else 0.0
            last_cpu, last_at = used.cpu_seconds, at
            told = {**vars(who), **vars(used), "cpu_share": round(max(0.0, busy), 3), "at": at, **about()}
            valkey.hset(KEY, who.instance, orjson.dumps(told))
        except (redis.RedisError, psutil.Error):
            pass  # said again in a moment
        except Exception:  # noqa: BLE001  # this thread must outlive whatever `about` meets
            _log.exception("heartbeat_failed")
        if ended.wait(EVERY_S):
            return
