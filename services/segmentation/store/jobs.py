"""Full computations: asked for, taken by one worker at a time, and how far they are."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from shared.database import Transaction

_LEASE: Final = "2 minutes"


@dataclass(frozen=True)
class Job:
    """One full computation. `as_of` None: as of the moment each customer is computed."""

    job_id: UUID
    as_of: datetime | None
    reason: str
    state: str
    computed_as_of: datetime | None
    total: int | None
    done: int
    error: str | None
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def add(tx: Transaction, job_id: UUID, reason: str, as_of: datetime | None) -> None:
    """Ask for a full computation."""
    tx.execute(
        """
        INSERT INTO recompute_job (job_id, as_of, reason, state, requested_at)
        VALUES (%(job_id)s, %(as_of)s, %(reason)s, 'queued', clock_timestamp())
        """,
        {"job_id": job_id, "as_of": as_of, "reason": reason},
    )


def get(tx: Transaction, job_id: UUID) -> Job | None:
    """One job."""
    return tx.one(_SELECT + "WHERE job_id = %(job_id)s", {"job_id": job_id}, into=Job)


def newest(tx: Transaction, limit: int) -> list[Job]:
    """The last jobs, newest first."""
    return tx.all(_SELECT + "ORDER BY requested_at DESC, job_id DESC LIMIT %(limit)s", {"limit": limit}, into=Job)


def last_done(tx: Transaction) -> Job | None:
    """The last job that ended well."""
    return tx.one(_SELECT + "WHERE state = 'done' ORDER BY finished_at DESC LIMIT 1", into=Job)


def open_job(tx: Transaction) -> bool:
    """Whether one is queued or running."""
    return bool(tx.value("SELECT EXISTS (SELECT FROM recompute_job WHERE state IN ('queued', 'running'))"))


def failed_lately(tx: Transaction) -> bool:
    """Whether one failed in the last ten minutes."""
    return bool(
        tx.value(
            """
            SELECT EXISTS (SELECT FROM recompute_job
                           WHERE state = 'failed' AND finished_at > clock_timestamp() - interval '10 minutes')
            """
        )
    )


def take(tx: Transaction) -> Job | None:
    """The oldest job that waits, or whose worker has gone, now ours; None while another is at work."""
    tx.execute("LOCK TABLE recompute_job IN SHARE ROW EXCLUSIVE MODE")
    found = tx.value(
        """
        UPDATE recompute_job
        SET state = 'running', started_at = clock_timestamp(), done = 0, error = NULL,
            lease_until = clock_timestamp() + %(lease)s::interval
        WHERE job_id = (SELECT job_id FROM recompute_job
                        WHERE state = 'queued' OR (state = 'running' AND lease_until < clock_timestamp())
                        ORDER BY requested_at LIMIT 1)
          AND NOT EXISTS (SELECT FROM recompute_job WHERE state = 'running' AND lease_until >= clock_timestamp())
        RETURNING job_id
        """,
        {"lease": _LEASE},
    )
    return None if found is None else get(tx, found)


def progress(tx: Transaction, job_id: UUID, done: int, total: int, computed_as_of: datetime) -> None:
    """Note how many customers are done, and keep the job ours."""
    tx.execute(
        """
        UPDATE recompute_job
        SET done = %(done)s, total = %(total)s, computed_as_of = coalesce(computed_as_of, %(computed_as_of)s),
            lease_until = clock_timestamp() + %(lease)s::interval
        WHERE job_id = %(job_id)s
        """,
        {"job_id": job_id, "done": done, "total": total, "computed_as_of": computed_as_of, "lease": _LEASE},
    )


def keep(tx: Transaction, job_id: UUID) -> None:
    """Keep the job ours."""
    tx.execute(
        """
        UPDATE recompute_job SET lease_until = clock_timestamp() + %(lease)s::interval WHERE job_id = %(job_id)s
        """,
        {"job_id": job_id, "lease": _LEASE},
    )


def finish(tx: Transaction, job_id: UUID, error: str | None = None) -> None:
    """The job has ended, well or not."""
    tx.execute(
        """
        UPDATE recompute_job
        SET state = CASE WHEN %(error)s::text IS NULL THEN 'done' ELSE 'failed' END, error = %(error)s,
            finished_at = clock_timestamp(), lease_until = NULL
        WHERE job_id = %(job_id)s
        """,
        {"job_id": job_id, "error": error},
    )


_SELECT: Final = """
    SELECT job_id, as_of, reason, state, computed_as_of, total, done, error, requested_at, started_at, finished_at
    FROM recompute_job
"""
