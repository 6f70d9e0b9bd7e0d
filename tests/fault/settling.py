"""After the last fault: let everything that is under way come to its end."""

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import psycopg

from tests.fault.counting import READERS
from tests.fault.installation import Installation
from tests.fault.mailing import database_answers

if TYPE_CHECKING:
    from tests.fault.harness import Run

_SETTLES_WITHIN_S: Final = 420.0
_MODEL_WITHIN_S: Final = 90.0


def settle(run: "Run", *, hurry: bool) -> None:
    """Wait until nothing is left to do. What has not come to its end by then is counted as it is."""
    for one in run.field.frozen:
        while not hurry and one.of and one.until > time.monotonic():
            time.sleep(1.0)
    run.field.thaw_all()
    if hurry:
        run.sink.hasten()
    began = time.monotonic()
    while time.monotonic() - began < _SETTLES_WITHIN_S:
        with suppress(psycopg.Error):  # away, or too busy to answer in time: it is asked again
            if _is_settled(run):
                break
            # Nobody is connected: every lease that still runs is that of a dead sender.
            run.mailing.bring_forward(leases=hurry and run.sink.connections == 0)
        time.sleep(1.0)
    if database_answers(run.platform):
        publish_model(run.platform)
    run.findings.load["settled_s"] = round(time.monotonic() - began, 1)


def publish_model(platform: Installation) -> None:
    """Have a model trained of all there is. Raises RuntimeError when none is published for long."""
    deadline = time.monotonic() + _MODEL_WITHIN_S
    before = platform.value("SELECT max(version) FROM recommend.model")
    platform.ask("POST", "/v1/models")
    while platform.value("SELECT max(version) FROM recommend.model") == before:
        if time.monotonic() > deadline:
            raise RuntimeError(f"no model is published: {platform.rows('SELECT * FROM recommend.training')}")
        time.sleep(0.3)


def _is_settled(run: "Run") -> bool:
    platform = run.platform
    head = platform.value("SELECT coalesce(max(position), 0) FROM profile.event_log")
    waiting = platform.value("SELECT count(*) FROM profile.intake")
    untold = platform.value("SELECT count(*) FROM campaign.outcome WHERE published_at IS NULL")
    computing = platform.value("SELECT count(*) FROM segmentation.recompute_job WHERE state IN ('queued', 'running')")
    behind = [reader for reader in READERS if run.physician.cursor(reader) != head]
    return not (waiting or untold or behind or computing or run.mailing.open_rows())
