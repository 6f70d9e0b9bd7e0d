"""Events that were set aside: reading why, replaying them."""

from typing import Any
from uuid import UUID

from marshmallow import RAISE

from services.profile.actions import rejected as actions
from services.profile.api import paging
from services.profile.schemas.rejected import RejectedPage, RejectedQuery, Replay, Replayed, ReplayedMany, ReplayMany
from shared.auth import principal, require
from shared.blueprint import Blueprint
from shared.idempotency import idempotent
from shared.web import encode_cursor

blp = Blueprint("rejected", __name__, url_prefix="/v1/rejected-events", description="Events that could not be taken")


@blp.get("")
@require("customers:read")
@blp.arguments(RejectedQuery, location="query", unknown=RAISE)
@blp.response(200, RejectedPage)
def list_rejected(query: dict[str, Any]) -> dict[str, Any]:
    """Events that were set aside, newest first, with the reason and what was sent."""
    last = paging.after(query.get("cursor"), UUID)
    found = actions.newest(last[0] if last else None, query["limit"] + 1, replayed=query["replayed"])
    return paging.page(found, query["limit"], "rejected_id")


@blp.post("/replay")
@require("events:import")
@idempotent
@blp.arguments(ReplayMany)
@blp.response(200, ReplayedMany)
def replay_many(body: dict[str, Any]) -> dict[str, Any]:
    """Take many events in after all, as they were, oldest first; those refused again stay, with the reason.

    One request tries 1,000 at most, and goes on for about two seconds: `remaining` says how many it did not reach.
    The same request with `next_cursor` as its `cursor` goes on behind those it did.
    """
    place = paging.after(body["cursor"], UUID, UUID) or ()
    done = actions.replay_many(body["rejected_ids"], principal().name, *place)
    going_on = done["remaining"] and done["after"]
    return {**done, "next_cursor": encode_cursor(done["after"], done["until"]) if going_on else None}


@blp.post("/<uuid:rejected_id>/replay")
@require("events:import")
@idempotent
@blp.arguments(Replay)
@blp.response(200, Replayed)
def replay(body: dict[str, Any], rejected_id: UUID) -> dict[str, Any]:
    """Take an event in after all, as it was or corrected; 422 with the reason where it is refused again."""
    return actions.replay(rejected_id, body["event"], principal().name)
