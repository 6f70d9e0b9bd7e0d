"""Celery entry points: each looks in Postgres for what there is to do."""

from typing import Final
from uuid import UUID

from services.segmentation.actions import events, memberships, recompute, upkeep
from shared import queue


@queue.task("segmentation.read_events")
def read_events() -> None:
    """Read profile's log and follow the customers it touches."""
    events.read_events()


@queue.task("segmentation.refresh_segment")
def refresh_segment(segment_id: str | None = None) -> None:
    """Find the members of one segment anew, or of all that wait for it."""
    if segment_id is None:
        memberships.refresh_stale()
    else:
        memberships.refresh(UUID(segment_id))


@queue.task("segmentation.recompute")
def recompute_all() -> None:
    """Carry out full computations that were asked for or are due."""
    recompute.run_due()


@queue.task("segmentation.upkeep")
def keep_up() -> None:
    """Let go of what is only kept for a while."""
    upkeep.run()


SCHEDULE: Final = {
    "segmentation.read_events": 2,
    "segmentation.refresh_segment": 5,
    "segmentation.recompute": 60,
    "segmentation.upkeep": 3600,
}
