"""The model registry: what was published, and asking for a new one."""

from datetime import UTC, datetime

from services.recommend.store import models as store
from shared import audit
from shared.database import transaction


def models_page(before: str | None, limit: int) -> tuple[list[store.Published], store.Training]:
    """Up to `limit` models older than the version `before`, and the state of the trainer."""
    with transaction(read_only=True) as tx:
        return store.models(tx, before, limit), store.training(tx)


def request_training() -> store.Training:
    """Ask the trainer for a model of now."""
    with transaction() as tx:
        store.request_training(tx, datetime.now(UTC))
        audit.record(tx, "model.train", ("model", "next"))
        tx.nudge("recommend.train")
        return store.training(tx)
