"""That an audience was taken along as a table."""

from typing import Any

from shared import audit
from shared.audit import Actor
from shared.database import transaction


def record_export(subject: str, told: dict[str, Any], actor: Actor) -> None:
    """Write down who took the customers for what, and how many."""
    with transaction() as tx:
        audit.record(tx, "audience.export", ("audience", subject), after=told, actor=actor)
