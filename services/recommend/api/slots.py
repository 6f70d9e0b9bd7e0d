"""The routes of slots."""

from typing import Any

import orjson
from flask import Response

from services.recommend.actions import recommendations
from services.recommend.actions import slots as actions
from services.recommend.schemas.recommendations import RecommendationsOut, documented
from services.recommend.schemas.slots import PreviewIn, SlotIn, SlotOut, SlotPage
from shared.auth import principal, require
from shared.blueprint import Blueprint
from shared.web import check_match, set_etag

blp = Blueprint("slots", __name__, url_prefix="/v1/slots", description="Places of the shop, and how each is filled")


@blp.get("")
@require("slots:read")
@blp.response(200, SlotPage)
def list_slots() -> dict[str, Any]:
    """All slots, by name."""
    return {"items": actions.slots()}


@blp.post("/preview")
@require("slots:read")
@blp.arguments(PreviewIn)
@blp.doc(**documented(None, RecommendationsOut))
def post_preview(wanted: dict[str, Any]) -> Response:
    """What a person would be shown by settings that are not kept. Of an experiment the slot itself is shown."""
    slot = actions.unkept(wanted["slot"])
    body = orjson.dumps(wanted["request"])
    return Response(recommendations.preview(slot, body, principal()), content_type="application/json")


@blp.get("/<name>")
@require("slots:read")
@blp.response(200, SlotOut)
def get_slot(name: str) -> dict[str, Any]:
    """One slot; its ETag is its version."""
    found = actions.slot(name)
    set_etag(found["version"])
    return found


@blp.put("/<name>")
@require("slots:write")
@blp.arguments(SlotIn)
@blp.response(200, SlotOut)
def put_slot(settings: dict[str, Any], name: str) -> dict[str, Any]:
    """Create a slot or replace it; with If-Match only where nobody changed it meanwhile. It holds within a second."""
    saved = actions.put_slot(name, settings, check_match)
    set_etag(saved["version"])
    return saved


@blp.delete("/<name>")
@require("slots:write")
@blp.response(204)
def delete_slot(name: str) -> None:
    """Take a slot out of use; requests that name it are refused from then on."""
    actions.delete_slot(name, check_match)
