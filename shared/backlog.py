"""What waits in Valkey's queues, and for how long."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from shared.queue import valkey


@dataclass(frozen=True)
class Backlog:
    """How many messages wait in a queue, and how long the oldest of them has."""

    queue: str
    messages: int
    oldest_seconds: float


def backlogs(queues: Iterable[str]) -> list[Backlog]:
    """What waits in each of these queues. Raises redis.RedisError."""
    wanted = list(queues)
    pipeline = valkey().pipeline(transaction=False)
    for name in wanted:
        pipeline.llen(name)
        pipeline.lindex(name, -1)  # new messages come in at the left
    found = pipeline.execute()
    return [
        Backlog(name, int(found[2 * n]), _waited(found[2 * n + 1])) for n, name in enumerate(wanted)
    ]  # fmt: skip


def _waited(message: bytes | None) -> float:
    try:
        sent_at = orjson.loads(message)["headers"]["sent_at"] if message else None
    except (ValueError, KeyError, TypeError):
        return 0.0
    return max(0.0, time.time() - sent_at) if isinstance(sent_at, int | float) else 0.0
