"""The small shop of segmentation's tests."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from shared.config import Settings
from tests.conftest import Services
from tests.integration.segmentation.event_log import NOW, Log
from tests.integration.segmentation.shopfront import Shopfront


@pytest.fixture
def shop(services: Services) -> Shopfront:
    """A shop in Shanghai at noon of 30 June 2025, nobody in it yet."""
    return Shopfront(services)


@pytest.fixture
def log(database_clone: Callable[[str], Settings]) -> Iterator[Log]:
    """Profile's log, and this process as segmentation."""
    log = Log(database_clone("profile"))
    with psycopg.connect(database_clone("console").database_url) as console:
        console.execute("UPDATE console.shop SET business_clock = %(now)s", {"now": NOW})
    database_clone("segmentation")
    yield log
    log.connection.close()
