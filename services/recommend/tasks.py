"""Celery entry points of recommend."""

from services.recommend.actions import interactions, training
from shared import queue


@queue.task("recommend.read_events")
def read_events() -> None:
    """The log has grown (or the sweep looks): take in what is new."""
    interactions.read_events()


@queue.task("recommend.train")
def train() -> None:
    """Train and publish a model where one is due or was asked for."""
    training.train_if_due()


SCHEDULE = {"recommend.read_events": 2.0, "recommend.train": 30.0}
