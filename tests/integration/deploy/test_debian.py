"""PostgreSQL 15 and Redis 7 as Debian ships them are enough: one slice here, all of it with `make test-servers`."""

import os
import subprocess
import sys

import pytest

from deploy.home import CHECKOUT
from tests import debian

SLICE = "tests/integration/segmentation/test_with_profile.py"


@pytest.mark.slow
@pytest.mark.skipif(bool(debian.missing()), reason=f"needs Debian's packages {' and '.join(debian.PACKAGES)}")
def test_migrations_and_the_way_of_an_event_into_a_segment_work_on_the_oldest_servers_we_promise():
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "tests.debian", "-q", "-p", "no:cacheprovider", "-n", "0", SLICE]
    done = subprocess.run(command, cwd=CHECKOUT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
