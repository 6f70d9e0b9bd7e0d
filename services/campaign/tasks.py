"""Work of the campaign service. Every task looks at Postgres for what there is to do."""

from services.campaign.actions import launching, publishing, reading, sending, upkeep
from shared import queue


@queue.task("campaign.start_due")
def start_due() -> None:
    """Start campaigns whose time has come, freeze their audiences."""
    launching.start_due()


@queue.task("campaign.send")
def send() -> None:
    """Hand over what is due."""
    sending.send_due()


@queue.task("campaign.publish_outcomes")
def publish_outcomes() -> None:
    """Tell profile's log what came of messages."""
    publishing.publish()


@queue.task("campaign.read_events")
def read_events() -> None:
    """Follow profile's log: purchases, merges and splits, bounces and complaints from elsewhere."""
    reading.read_events()


@queue.task("campaign.upkeep")
def tidy() -> None:
    """Drop what nothing looks at any more."""
    upkeep.tidy()


SCHEDULE = {
    "campaign.start_due": 2,
    "campaign.send": 2,
    "campaign.publish_outcomes": 3,
    "campaign.read_events": 3,
    "campaign.upkeep": 3600,
}
