"""The model registry: what was published or tried, asking for a new model, and going back to an earlier one."""

from datetime import UTC, datetime

from services.recommend.store import models as store
from shared import audit
from shared.database import transaction
from shared.problems import Conflict, NotFound


def models_page(before: str | None, limit: int) -> tuple[list[store.Published], store.Training]:
    """Up to `limit` models older than the version `before`, and the state of the trainer."""
    with transaction(read_only=True) as tx:
        return store.models(tx, before, limit), store.training(tx)


def model(version: str) -> store.Published:
    """One entry of the registry. Raises NotFound."""
    with transaction(read_only=True) as tx:
        found = store.model(tx, version)
    if found is None:
        raise NotFound(f"there is no model {version}")
    return found


def champion() -> str | None:
    """The version that serves."""
    with transaction(read_only=True) as tx:
        found = store.newest(tx)
    return found.version if found else None


def restore(version: str) -> store.Published:
    """Let an earlier model serve again. Processes take it up within a second. Raises NotFound, Conflict."""
    with transaction() as tx:
        found, before = store.model(tx, version), store.newest(tx)
        if found is None:
            raise NotFound(f"there is no model {version}")
        if not store.serve(tx, version, datetime.now(UTC)):
            raise Conflict(f"the files of model {version} are gone, or it never served", code="model_without_files")
        was = before.version if before else None
        audit.record(tx, "model.restore", ("model", version), before={"serving": was}, after={"serving": version})
        return store.model(tx, version) or found


def request_training() -> store.Training:
    """Ask the trainer for a model of now."""
    with transaction() as tx:
        store.request_training(tx, datetime.now(UTC))
        audit.record(tx, "model.train", ("model", "next"))
        tx.nudge("recommend.train")
        return store.training(tx)
