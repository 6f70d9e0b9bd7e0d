"""Celery entry points of recommend."""

from services.recommend.actions import interactions, upkeep
from shared import queue


@queue.task("recommend.read_events")
def read_events() -> None:
    """The log has grown (or the sweep looks): take in what is new."""
    interactions.read_events()


@queue.task("recommend.train")
def train() -> None:
    """Train and publish a model where one is due or was asked for."""
    from services.recommend.actions import training  # noqa: PLC0415  # 260 MB that only a trainer needs

    training.train_if_due()


@queue.task("recommend.upkeep")
def keep_up() -> None:
    """Let go of what is only kept for a while."""
    upkeep.run()


SCHEDULE = {"recommend.read_events": 2.0, "recommend.train": 30.0, "recommend.upkeep": 3600.0}
