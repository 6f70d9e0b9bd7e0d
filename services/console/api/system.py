"""The state of the platform, and another try for dead letters."""

from typing import Any

from services.console.actions import system as actions
from services.console.schemas.system import ReplayIn, ReplayOut, SystemOut
from shared.auth import require
from shared.blueprint import Blueprint
from shared.idempotency import idempotent

blp = Blueprint("platform", __name__, url_prefix="/v1/system", description="How the platform stands")


@blp.get("")
@require("system:read")
@blp.response(200, SystemOut)
def get_system() -> dict[str, Any]:
    """Processes, queues, readers, jobs and dead letters of all services."""
    return actions.whole()


@blp.post("/dead-letters/replay")
@require("system:write")
@idempotent
@blp.arguments(ReplayIn)
@blp.response(200, ReplayOut)
def post_replay(body: dict[str, Any]) -> dict[str, Any]:
    """Try rejected events, failed messages or failed tasks again: those named, or all of a kind, 1,000 at most.

    `remaining` says how many of them it did not reach; the same request with `next_cursor` as its `cursor` goes on.
    """
    ids = None if body["all"] else [str(one) for one in body["ids"]]
    return actions.replay(body["kind"], ids, {"scopes": ("events:import", "campaigns:send")}, cursor=body["cursor"])
