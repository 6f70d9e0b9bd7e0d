"""What Valkey remembers of a time that a restore has undone. The queue itself holds nothing that is needed."""

import contextlib
import shutil
from typing import Final

import redis

from deploy.backup.place import Place

# Replies kept for repeated requests: they name things that the restored database may never have known.
_REPLIES: Final = "once:*"


def forget(place: Place) -> None:
    """Drop the kept replies; of an embedded queue, which only starts again with the platform, everything."""
    if not place.redis_url:
        shutil.rmtree(place.home.valkey, ignore_errors=True)
        return
    client = redis.Redis.from_url(place.redis_url, socket_timeout=5.0, socket_connect_timeout=2.0)
    with contextlib.closing(client), contextlib.suppress(redis.RedisError):  # they expire within a day
        for key in client.scan_iter(_REPLIES, count=1000):
            client.delete(key)
