"""Routes of full computations."""

from datetime import datetime
from typing import Any
from uuid import UUID

from services.segmentation.actions import recompute as actions
from services.segmentation.schemas.recompute import JobOut, JobPage, RecomputeIn
from services.segmentation.store.jobs import Job
from shared.auth import require
from shared.blueprint import Blueprint
from shared.idempotency import idempotent

blp = Blueprint("recompute", __name__, url_prefix="/v1/recompute", description="Full computations")


@blp.post("")
@require("segments:write")
@idempotent
@blp.arguments(RecomputeIn)
@blp.response(202, JobOut)
def ask(given: dict[str, datetime | None]) -> Job:
    """Ask for everybody's features, scores and memberships to be computed anew."""
    return actions.ask(given["as_of"])


@blp.get("")
@require("segments:read")
@blp.response(200, JobPage)
def list_jobs() -> dict[str, Any]:
    """The last computations, newest first."""
    return {"items": actions.recent(), "next_cursor": None}


@blp.get("/<uuid:job_id>")
@require("segments:read")
@blp.response(200, JobOut)
def get_job(job_id: UUID) -> Job:
    """One computation and how far it is."""
    return actions.job(job_id)
