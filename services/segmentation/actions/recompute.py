"""Computing everybody: when the business day turns, and when somebody asks for it."""

from datetime import datetime
from typing import Final
from uuid import UUID

from services.segmentation.actions import memberships
from services.segmentation.actions.customers import compute_features, give_scores, score_and_follow
from services.segmentation.actions.events import bring_touched_up_to_date, read_facts
from services.segmentation.actions.moments import Moment, moment_of
from services.segmentation.domain.days import business_day, zone_of
from services.segmentation.domain.scores import Basis
from services.segmentation.store import facts, features, jobs, scores, segments
from services.segmentation.store.jobs import Job
from shared import audit, telemetry
from shared.database import Transaction, transaction
from shared.ids import uuid7
from shared.problems import NotFound, Unavailable

CHUNK: Final = 1000
PATIENCE_S: Final = 50.0
GROWTH: Final = 1.2

_log = telemetry.get_logger(__name__)


def ask(as_of: datetime | None) -> Job:
    """Ask for a full computation, as of the business clock unless told otherwise."""
    job_id = uuid7()
    with transaction() as tx:
        jobs.add(tx, job_id, "asked", as_of)
        audit.record(tx, "scores.recompute", ("job", job_id), after={"as_of": as_of})
        tx.nudge("segmentation.recompute")
        return _job(tx, job_id)


def job(job_id: UUID) -> Job:
    """One computation. Raises NotFound."""
    with transaction(read_only=True) as tx:
        return _job(tx, job_id)


def recent() -> list[Job]:
    """The last jobs, newest first."""
    with transaction(read_only=True) as tx:
        return jobs.newest(tx, 20)


def run_due() -> None:
    """Queue the day's computation if it is due, then carry out the jobs that wait."""
    with transaction() as tx:
        if _is_due(tx):
            jobs.add(tx, uuid7(), "new day", None)
    while (taken := _take()) is not None:
        try:
            run(taken)
        except Exception as error:
            with transaction() as tx:
                jobs.finish(tx, taken.job_id, type(error).__name__)
            raise


def run(job: Job) -> None:
    """Compute features of all customers, a new basis, scores against it, and all memberships.

    In chunks of customers, a transaction each, so that events are followed in between. Taken up again from the
    beginning when its worker dies.
    """
    while read_facts():
        pass
    with transaction() as tx:
        facts.take_stock(tx)
    _compute_all(job)
    _follow_all(job, _new_basis(job))
    with transaction() as tx:
        segments.mark_all_refreshed(tx, moment_of(tx, job.as_of).as_of)
        jobs.finish(tx, job.job_id)
    _log.info("recomputed", job_id=str(job.job_id), reason=job.reason)


def _compute_all(job: Job) -> None:
    with transaction(read_only=True) as tx:
        total = features.count_customers(tx)
    after: UUID | None = None
    done = 0
    while True:
        with transaction() as tx:
            moment = _claimed(tx, job)
            chunk = features.published_ids(tx, after, CHUNK)
            done += len(chunk)
            jobs.progress(tx, job.job_id, done, max(done, total), moment.as_of)
            touched = facts.take_due_of(tx, chunk, moment.as_of)
            compute_features(tx, chunk, moment)
            # Not later with everybody: that may be minutes away, or never, if this computation does not come so far.
            if touched:
                score_and_follow(tx, touched, moment)
            if len(chunk) < CHUNK:
                memberships.follow(tx, features.drop_vanished(tx), moment)
        if len(chunk) < CHUNK:
            return
        after = chunk[-1]
        _let_others_by(job)


def _new_basis(job: Job) -> tuple[UUID, Basis] | None:
    with transaction() as tx:
        moment = _claimed(tx, job)
        population = scores.measure(tx)
        if population is None:
            return None
        basis_id = uuid7()
        scores.add_basis(tx, basis_id, population, moment.as_of)
    return basis_id, population.basis


def _follow_all(job: Job, basis: tuple[UUID, Basis] | None) -> None:
    """Scores, and memberships of all segments at once: one by one they would read everybody once each."""
    after: UUID | None = None
    while True:
        with transaction() as tx:
            moment = _claimed(tx, job)
            jobs.keep(tx, job.job_id)
            chunk = features.computed_ids(tx, after, CHUNK)
            if basis is not None:
                give_scores(tx, chunk, *basis)
            memberships.follow(tx, chunk, moment)
        if len(chunk) < CHUNK:
            return
        after = chunk[-1]
        _let_others_by(job)


def _let_others_by(job: Job) -> None:
    """Follow what happened meanwhile: we would take the claim again before anybody else could.

    Not during a look back, whose customers would get features of now.
    """
    if job.as_of is None:
        bring_touched_up_to_date()


def _claimed(tx: Transaction, job: Job) -> Moment:
    if not memberships.claim(tx, patience_s=PATIENCE_S):
        raise Unavailable("another computation has held the claim for too long")
    return moment_of(tx, job.as_of)


def _job(tx: Transaction, job_id: UUID) -> Job:
    found = jobs.get(tx, job_id)
    if found is None:
        raise NotFound(f"there is no computation {job_id}", code="job_unknown")
    return found


def _take() -> Job | None:
    with transaction() as tx:
        return jobs.take(tx)


def _is_due(tx: Transaction) -> bool:
    """A new business day, many more buyers than were counted, or no scores yet where somebody has bought."""
    if jobs.open_job(tx) or jobs.failed_lately(tx):
        return False
    last = jobs.last_done(tx)
    if last is None or last.computed_as_of is None:
        return features.count_customers(tx) > 0
    moment = moment_of(tx)
    zone = zone_of(moment.shop.time_zone)
    if business_day(last.computed_as_of, zone) != business_day(moment.as_of, zone):
        return True
    basis = scores.newest_basis(tx)
    return scores.count_buyers(tx) > (GROWTH * basis["buyers"] if basis else 0)
