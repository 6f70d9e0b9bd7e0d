"""What tests of the launcher share."""

import pytest
import redis


@pytest.fixture
def valkey(servers):
    """The address of an empty Valkey, and a client of it."""
    url = servers.redis(2)
    client = redis.Redis.from_url(url)
    client.flushdb()
    yield url, client
    client.flushdb()
    client.close()
