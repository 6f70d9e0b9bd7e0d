"""One real platform for all journeys of a run."""

from collections.abc import Iterator

import pytest

from tests.journey.platform import Platform, shared


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Platform]:
    """A platform with a mail catcher, ready to take events; the workers of one run share it."""
    root = tmp_path_factory.getbasetemp()
    root = root if worker_id == "master" else root.parent
    with shared(root / "platform") as running:
        yield running
