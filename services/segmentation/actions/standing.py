"""How segmentation stands: its reader, its computations, the segments that wait to be found anew."""

from datetime import datetime
from typing import Final

from services.segmentation.store import facts, jobs
from services.segmentation.store.jobs import Job as Computation
from shared import log
from shared.database import transaction
from shared.standing import Figure, Job, Reader, Standing

SHOWN: Final = 5


def standing() -> Standing:
    """The reader's lag, the last computations with their progress, when everybody was last computed."""
    with transaction(read_only=True, timeout_ms=2000) as tx:
        position, entries, seconds = log.behind(tx, facts.READER, facts.VIEW)
        computations, last = jobs.newest(tx, SHOWN), jobs.last_done(tx)
    figures = []
    if last is not None and last.finished_at is not None:
        at = last.finished_at.timestamp()
        figures.append(Figure("zhike_recompute_finished_seconds", "When all were last computed (Unix time).", at))
        took = _seconds(last.started_at, last.finished_at) or 0.0
        figures.append(Figure("zhike_recompute_seconds", "How long that took.", took))
    return Standing(
        readers=[Reader(facts.READER, "events", position, entries, seconds)],
        jobs=[_job(one, _seconds(last.started_at, last.finished_at) if last else None) for one in computations],
        figures=figures,
    )


def _job(one: Computation, usual_seconds: float | None) -> Job:
    return Job(
        "recompute",
        str(one.job_id),
        one.state,
        done=one.done,
        total=one.total,
        usual_seconds=usual_seconds,
        requested_at=one.requested_at,
        started_at=one.started_at,
        finished_at=one.finished_at,
        error=one.error,
    )


def _seconds(began: datetime | None, ended: datetime | None) -> float | None:
    return (ended - began).total_seconds() if began and ended else None
