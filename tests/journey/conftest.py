"""One real platform for all journeys of a run."""

from collections.abc import Iterator

import pytest

from tests.journey import composed
from tests.journey.platform import Platform, shared
from tests.servers import GIVEN_POSTGRES, GIVEN_REDIS


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Platform]:
    """A platform with a mail catcher, ready to take events; the workers of one run share it.

    `zhike up` starts it; on given servers (`make test-servers`) its roles are started as compose starts them.
    """
    root = tmp_path_factory.getbasetemp()
    root = root if worker_id == "master" else root.parent
    start = composed.start if GIVEN_POSTGRES and GIVEN_REDIS else None
    with shared(root / "platform", start=start) as running:
        yield running
