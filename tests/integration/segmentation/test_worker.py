"""A worker in a process of its own: in which order it does what waits for it."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from uuid import UUID

from deploy.home import CHECKOUT
from deploy.process import Command, spawn, stop
from deploy.topology import role
from services.segmentation.actions import events, memberships, segments
from shared import contracts, queue
from shared.config import Settings
from shared.database import transaction
from tests.integration.segmentation.event_log import Log, rows
from tests.journey.platform import eventually

ORDERED = {"feature": "orders", "op": ">=", "value": 1}
TWICE = {"feature": "orders", "op": ">=", "value": 2}
NUDGES = 30
CROWD = events.CUSTOMERS + 200  # more than are computed at a time


@contextmanager
def running(settings: Settings, folder: Path) -> Iterator[None]:
    """Segmentation's worker as the topology says, with as many children."""
    ready = folder / "ready"
    env = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "ZHIKE_SECRET_KEY": settings.secret_key,
        "ZHIKE_DATA_KEY": settings.data_key,
        "ZHIKE_READY_FILE": str(ready),
    }
    worker = role("segmentation-worker")
    options = ("--queues", ",".join(worker.queues), "--concurrency", str(worker.concurrency))
    command = Command([sys.executable, "-m", "deploy", "worker", "segmentation", *options], env, str(CHECKOUT))
    with (folder / "log").open("wb") as log:
        started = spawn(command, log)
    try:
        eventually(ready.exists)
        yield
    finally:
        stop(started, signal.SIGTERM, 20.0)


def behind(log: Log) -> tuple[list[UUID], UUID]:
    """Three who ordered twice and are members of the second result already, and many who ordered just now."""
    regulars = log.customers(3)
    for number, who in enumerate(regulars * 2):
        log.order(who, number)
    events.read_events()
    ordered = segments.create("Ordered", "", ORDERED).segment.segment_id
    memberships.refresh_stale()
    for number, who in enumerate(log.customers(CROWD), len(regulars) * 2):
        log.order(who, number)
    return regulars, ordered


def test_a_segment_just_saved_has_its_members_before_the_customers_that_wait_are_computed(
    log: Log, database_clone: Callable[[str], Settings], tmp_path: Path
) -> None:
    settings = database_clone("segmentation")
    regulars, ordered = behind(log)
    queue.valkey().flushdb()
    sender = queue.create_beat(settings.redis_url, {})
    for _ in range(NUDGES):
        sender.send_task("segmentation.read_events", queue=contracts.SEGMENTATION)
    sender.close()
    twice = segments.create("Twice", "", TWICE).segment.segment_id
    waiting = [
        json.loads(message)["headers"]["task"] for message in queue.valkey().lrange(contracts.SEGMENTATION, 0, -1)
    ]
    assert waiting == ["segmentation.refresh_segment", *["segmentation.read_events"] * NUDGES]  # the newest first

    with running(settings, tmp_path):
        eventually(lambda: len(members(ordered)) == CROWD + len(regulars))
        eventually(lambda: queue.valkey().llen(contracts.SEGMENTATION) == 0)
    assert members(twice) == set(regulars)
    came = rows("SELECT segment_id, customer_id FROM membership_log ORDER BY position")
    assert {row["segment_id"] for row in came[3:6]} == {twice}


def test_where_many_segments_wait_customers_are_computed_in_between(log: Log) -> None:
    _, ordered = behind(log)
    saved = [segments.create(name, "", TWICE).segment.segment_id for name in ("Twice", "Regulars")]
    events.read_events()
    came = rows("SELECT segment_id FROM membership_log ORDER BY position")
    turns = [segment_id for segment_id, _ in groupby(row["segment_id"] for row in came)]
    assert turns == [ordered, saved[0], ordered, saved[1], ordered]


def members(segment_id: UUID) -> set[UUID]:
    with transaction(read_only=True) as tx:
        found = tx.all("SELECT customer_id FROM membership WHERE segment_id = %(id)s", {"id": segment_id})
    return {row["customer_id"] for row in found}
