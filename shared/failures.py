"""Tasks that failed: the last few of them, in Valkey, for a person to read and to have tried again.

Nothing depends on this list. Work stands in Postgres and a sweep finds it again; a task that keeps failing is here.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import orjson
import redis

from shared import telemetry
from shared.ids import uuid7

KEY: Final = "zhike:failed-tasks"
KEPT: Final = 200


@dataclass(frozen=True)
class Failure:
    """One task that failed: its ids, never data."""

    failure_id: str
    task: str
    ids: dict[str, Any]
    error: str
    request_id: str | None
    at: float


def keep(valkey: "redis.Redis", task: str, ids: Mapping[str, Any], error: Exception) -> None:
    """Remember that a task failed; the oldest beyond KEPT go. Without Valkey it stands in the log only."""
    failure = Failure(str(uuid7()), task, dict(ids), type(error).__name__, telemetry.request_id(), time.time())
    with suppress(redis.RedisError):
        pipeline = valkey.pipeline()
        pipeline.lpush(KEY, orjson.dumps(vars(failure)))
        pipeline.ltrim(KEY, 0, KEPT - 1)
        pipeline.execute()


def newest(valkey: "redis.Redis") -> list[Failure]:
    """The remembered failures, newest first. Raises redis.RedisError."""
    kept: Any = valkey.lrange(KEY, 0, KEPT - 1)
    return [Failure(**orjson.loads(text)) for text in kept]


def forget(valkey: "redis.Redis", failure: Failure) -> bool:
    """Strike one from the list. False: somebody else did before. Raises redis.RedisError."""
    return bool(valkey.lrem(KEY, 1, orjson.dumps(vars(failure)).decode()))
