"""The catalogue's routes."""

from typing import Any

import msgspec
from flask import Response, request

from services.recommend.actions import items as actions
from services.recommend.actions import recommendations
from services.recommend.schemas.items import (
    AvailabilityIn,
    ItemIn,
    ItemOut,
    ItemPage,
    ItemQuery,
    ItemsPut,
    SimilarQuery,
)
from services.recommend.schemas.recommendations import RecommendationsOut, documented
from shared.auth import require
from shared.blueprint import Blueprint
from shared.problems import BadRequest
from shared.web import decode_cursor, encode_cursor, json_bytes

blp = Blueprint("items", __name__, url_prefix="/v1/items", description="The catalogue")

_ITEM_SCHEMA = msgspec.json.schema_components([ItemIn], ref_template="#/components/schemas/{name}")[1]["ItemIn"]
_BODY = {"type": "object", "required": ["items"], "properties": {"items": {"type": "array", "items": _ITEM_SCHEMA}}}


@blp.put("")
@require("items:write")
@blp.doc(requestBody={"required": True, "content": {"application/json": {"schema": _BODY}}})
@blp.response(200, ItemsPut)
def put_items() -> Response:
    """Create or replace up to 5,000 items: all, or, where one of them is wrong, none."""
    return json_bytes(actions.put_items(request.get_data()))


@blp.get("")
@require("items:read")
@blp.arguments(ItemQuery, location="query")
@blp.response(200, ItemPage)
def list_items(query: dict[str, Any]) -> dict[str, Any]:
    """Items in the order of their ids."""
    limit = query["limit"]
    found = actions.items_page(_after(query.get("cursor")), query.get("q"), query.get("category"), limit + 1)
    page = found[:limit]
    return {"items": page, "next_cursor": encode_cursor(page[-1]["item_id"]) if len(found) > limit else None}


@blp.get("/<path:item_id>/similar")
@require("recommendations:read")
@blp.arguments(SimilarQuery, location="query")
@blp.doc(**documented(None, RecommendationsOut))
def get_similar(query: dict[str, Any], item_id: str) -> Response:
    """Items like this one that can be bought now."""
    return Response(recommendations.answer_similar(item_id, query["n"]), content_type="application/json")


@blp.get("/<path:item_id>")
@require("items:read")
@blp.response(200, ItemOut)
def get_item(item_id: str) -> dict[str, Any]:
    """One item."""
    return actions.item(item_id)


@blp.patch("/<path:item_id>")
@require("items:write")
@blp.arguments(AvailabilityIn)
@blp.response(200, ItemOut)
def patch_item(changes: dict[str, Any], item_id: str) -> dict[str, Any]:
    """Say whether an item can be bought, and how many are left.

    It counts in the next answer; where several processes serve, in those of the others within half a second.
    """
    return actions.change_availability(item_id, changes)


def _after(cursor: str | None) -> str:
    values = decode_cursor(cursor)
    if values is None:
        return ""
    if len(values) != 1 or not isinstance(values[0], str):
        raise BadRequest("the cursor is not one of ours; start again without it", code="bad_cursor")
    return values[0]
