"""Segments' routes."""

from typing import Any
from uuid import UUID

from flask import Response

from services.segmentation.actions import segments as actions
from services.segmentation.actions.segments import Described
from services.segmentation.api.cursors import after_id, paged
from services.segmentation.schemas.segments import (
    MemberPage,
    MemberQuery,
    NewSegment,
    PreviewIn,
    PreviewOut,
    SegmentIn,
    SegmentOut,
    SegmentPage,
    SegmentQuery,
)
from shared.auth import require
from shared.blueprint import Blueprint
from shared.idempotency import idempotent
from shared.web import check_match, json_bytes, set_etag

blp = Blueprint("segments", __name__, url_prefix="/v1/segments", description="Groups of customers by rule")


@blp.get("")
@require("segments:read")
@blp.arguments(SegmentQuery, location="query")
@blp.response(200, SegmentPage)
def list_segments(query: dict[str, Any]) -> dict[str, Any]:
    """Segments in the order they were made."""
    found = actions.page(after_id(query), query["limit"] + 1, archived=query["archived"])
    return paged(found, query["limit"], lambda one: one.segment.segment_id)


@blp.post("")
@require("segments:write")
@idempotent
@blp.arguments(NewSegment)
@blp.response(201, SegmentOut)
def create_segment(given: dict[str, Any]) -> Described:
    """Make a segment by a rule, or of customers named one by one; a worker finds its members right after."""
    return _tagged(actions.create(given["name"], given["description"], given.get("rule"), given.get("customers")))


@blp.post("/preview")
@require("segments:read")
@blp.arguments(PreviewIn)
@blp.alt_response(200, schema=PreviewOut)
def preview(given: dict[str, Any]) -> Response:
    """How many customers a rule holds for now, with some of them. Changes nothing."""
    return json_bytes(actions.preview(given["rule"]))


@blp.get("/vocabulary")
@require("segments:read")
@blp.response(200)
def get_vocabulary() -> Response:
    """What rules can speak of: features, scores, traits, events, operators, in English and Chinese."""
    return json_bytes(actions.rule_vocabulary())


@blp.get("/<uuid:segment_id>")
@require("segments:read")
@blp.response(200, SegmentOut)
def get_segment(segment_id: UUID) -> Described:
    """One segment; the ETag is its version."""
    return _tagged(actions.get(segment_id))


@blp.put("/<uuid:segment_id>")
@require("segments:write")
@idempotent
@blp.arguments(SegmentIn)
@blp.response(200, SegmentOut)
def put_segment(given: dict[str, Any], segment_id: UUID) -> Described:
    """Change a segment; with If-Match only where nobody changed it meanwhile."""
    return _tagged(actions.change(segment_id, given["name"], given["description"], given["rule"], check_match))


@blp.delete("/<uuid:segment_id>")
@require("segments:write")
@blp.response(204)
def delete_segment(segment_id: UUID) -> None:
    """Archive a segment: it is kept, its members leave it."""
    actions.archive(segment_id, check_match)


@blp.get("/<uuid:segment_id>/customers")
@require("segments:read")
@blp.arguments(MemberQuery, location="query")
@blp.response(200, MemberPage)
def list_members(query: dict[str, Any], segment_id: UUID) -> dict[str, Any]:
    """Who is in a segment, in order of id."""
    found = actions.members(segment_id, after_id(query), query["limit"] + 1)
    return paged(found, query["limit"], lambda one: one["customer_id"])


def _tagged(found: Described) -> Described:
    set_etag(found.segment.version)
    return found
