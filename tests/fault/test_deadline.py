"""A run of faults ends by itself, whatever it waits for."""

import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.fault.deadline import OutOfTimeError, within

ROOT = Path(__file__).resolve().parents[2]


def test_a_run_that_waits_for_an_answer_that_never_comes_is_interrupted_and_says_where_it_was() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(OutOfTimeError, match=r"ours\.recv"), within(0.3):
        ours.recv(1)


def test_a_run_that_cannot_even_be_interrupted_ends_all_the_same() -> None:
    stubborn = """
        import signal, time
        from tests.fault import deadline
        deadline._ENDS_WITHIN_S = 0.5
        with deadline.at_the_latest(0.5):
            while True:
                try:
                    time.sleep(60)
                except BaseException:
                    pass
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(stubborn)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "Timeout" in done.stderr
