"""Faults that need the right moment: a training or a full computation under way, two beats at once."""

import sys
import time
from typing import Final

import psutil

from deploy.home import CHECKOUT
from deploy.process import Command, spawn
from tests.fault.field import Field, NotPossible, Struck
from tests.fault.installation import Installation

_UNDER_WAY_WITHIN_S: Final = 40.0


def kill_trainer_at_work(field: Field) -> Struck:
    """kill -9 of the trainer, or of its parent, in the middle of a training that was asked for."""
    field.platform.ask("POST", "/v1/models")
    process = _in_transaction(field.platform, "recommend", "recommend-trainer")
    # Somewhere between reading the lines and publishing: a training here takes about a second.
    time.sleep(field.dice.uniform(0.0, 1.0))
    return _kill(field, process, "recommend-trainer")


def kill_computation(field: Field) -> Struck:
    """kill -9 of the worker that computes everybody's features anew."""
    job_id = field.platform.ask("POST", "/v1/recompute", {})["job_id"]
    deadline = time.monotonic() + _UNDER_WAY_WITHIN_S
    while _state(field.platform, job_id) == "queued":
        if time.monotonic() > deadline:
            raise NotPossible("the computation did not begin")
        time.sleep(0.01)
    if _state(field.platform, job_id) != "running":
        raise NotPossible("the computation was over at once")
    return _kill(field, _in_transaction(field.platform, "segmentation", "segmentation-batch"), "segmentation-batch")


def second_beat(field: Field) -> Struck:
    """A second beat, started by mistake, for some seconds; then the first one is killed, and the second too."""
    target = field.pick(("beat",))
    first = field.platform.process(target)
    folder = field.platform.home.run
    command = [sys.executable, "-m", "deploy", "beat", "--schedule-file", str(folder / "second-beat")]
    with (folder / "second-beat.out").open("ab") as output:
        second = spawn(Command(command, first.environ(), str(CHECKOUT)), output)
    try:
        time.sleep(field.dice.uniform(3.0, 6.0))
        first.kill()
        time.sleep(field.dice.uniform(0.0, 6.0))
    finally:
        second.kill()
        second.wait()
    return Struck(f"{target.name} and another")


def _kill(field: Field, process: psutil.Process, role: str) -> Struck:
    """The process that does the work, or the one that keeps it."""
    parent = process.parent() if field.dice.random() < 0.5 else None
    if parent is not None and parent.pid in [target.pid for target in field.platform.targets((role,))]:
        parent.kill()
        return Struck(f"{role} at work")
    process.kill()
    return Struck(f"{role} (child) at work")


def _state(platform: Installation, job_id: str) -> str:
    state: str = platform.value(
        "SELECT state FROM segmentation.recompute_job WHERE job_id = %(job_id)s::uuid", {"job_id": job_id}
    )
    return state


def _in_transaction(platform: Installation, schema: str, role: str) -> psutil.Process:
    """The process of this role that has had a transaction open for a moment. Raises NotPossible."""
    deadline = time.monotonic() + _UNDER_WAY_WITHIN_S
    ends = platform.ports_of(role)
    with platform.database() as connection:
        while time.monotonic() < deadline:
            for (port,) in connection.execute(_OPEN, {"schema": schema}).fetchall():
                if port in ends:
                    return ends[port]
                ends = platform.ports_of(role)
            time.sleep(0.02)
    raise NotPossible(f"{role} was not at work")


_OPEN: Final = """
    SELECT client_port FROM pg_stat_activity
    WHERE application_name = 'zhike-' || %(schema)s AND xact_start < clock_timestamp() - interval '100 milliseconds'
"""
