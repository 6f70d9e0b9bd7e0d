"""How recommend stands: its reader, its model, its trainer."""

from datetime import UTC, datetime

from services.recommend.store import interactions
from services.recommend.store import models as store
from shared import log
from shared.database import transaction
from shared.standing import Figure, Job, Reader, Standing


def standing() -> Standing:
    """The reader's lag, the newest model and how old it is, the training under way or the last one."""
    with transaction(read_only=True, timeout_ms=2000) as tx:
        position, entries, seconds = log.behind(tx, interactions.READER, interactions.EVENTS)
        newest, asked, running = store.newest(tx), store.training(tx), store.running_since(tx)
    return Standing(
        readers=[Reader(interactions.READER, "events", position, entries, seconds)],
        jobs=_jobs(newest, asked, running),
        figures=_figures(newest),
    )


def _figures(model: store.Published | None) -> list[Figure]:
    if model is None:
        return []
    age = (datetime.now(UTC) - model.published_at).total_seconds()
    return [
        Figure("zhike_model_info", "The model that answers now.", 1.0, {"version": model.version}),
        Figure("zhike_model_age_seconds", "How long ago it was published.", max(0.0, age)),
        Figure("zhike_model_training_seconds", "How long its training took.", _took(model)),
        Figure("zhike_model_log_position", "How much of the log it has seen.", float(model.log_position)),
    ]


def _jobs(model: store.Published | None, asked: store.Training, running: datetime | None) -> list[Job]:
    """The training that runs or waits, the one that failed last, the one the present model came from."""
    usual = _took(model) if model else None
    jobs = []
    if running is not None:
        jobs.append(Job("training", "running", "running", usual_seconds=usual, started_at=running))
    elif asked.requested_at is not None and (asked.started_at is None or asked.started_at < asked.requested_at):
        jobs.append(Job("training", "queued", "queued", usual_seconds=usual, requested_at=asked.requested_at))
    if asked.failed_at is not None:
        jobs.append(Job("training", "failed", "failed", finished_at=asked.failed_at, error=asked.failure))
    if model is not None:
        began, ended = model.started_at, model.published_at
        jobs.append(Job("training", model.version, "done", started_at=began, finished_at=ended))
    return jobs


def _took(model: store.Published) -> float:
    return (model.published_at - model.started_at).total_seconds()
