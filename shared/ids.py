"""UUID version 7: ids that sort by the time they were made, made without asking the database."""

import os
import threading
import time
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

_AT_ONCE: Final = 512  # random tails fetched in one call: each call lets another thread take the interpreter

_lock = threading.Lock()
_last = [0]  # the newest time stamp handed out
_tails: list[int] = []
# A child of a fork must not hand out its parent's tails again.
os.register_at_fork(after_in_child=_tails.clear)


def uuid7() -> UUID:
    """A new UUIDv7 (RFC 9562 §5.7). Strictly increasing within one process, also in the same millisecond."""
    with _lock:
        # Method 3 of §6.2: the 12 bits behind the milliseconds carry the sub-millisecond fraction.
        now = (time.time_ns() // 1_000_000 << 12) | (time.time_ns() % 1_000_000 * 4096 // 1_000_000)
        stamp = _last[0] = max(now, _last[0] + 1)
        tail = (_tails or _filled()).pop()
    return UUID(int=(stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | tail)


def made_at(made: UUID) -> datetime:
    """When a UUIDv7 was made, to the millisecond."""
    return datetime.fromtimestamp((made.int >> 80) / 1000, UTC)


def _filled() -> list[int]:
    """The pool, full of numbers of 62 random bits."""
    random = os.urandom(8 * _AT_ONCE)
    _tails.extend(int.from_bytes(random[at : at + 8], "big") >> 2 for at in range(0, len(random), 8))
    return _tails
