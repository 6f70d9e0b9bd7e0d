"""Merges: which identities are one customer, on what evidence; and undoing one."""

from typing import Any
from uuid import UUID

from marshmallow import RAISE

from services.profile.actions import merges as actions
from services.profile.api import paging
from services.profile.schemas.merges import MergePage, MergeQuery, Undone
from shared.auth import principal, require
from shared.blueprint import Blueprint
from shared.idempotency import idempotent

blp = Blueprint("merges", __name__, url_prefix="/v1/merges", description="Who is one person, and why")


@blp.get("")
@require("customers:read")
@blp.arguments(MergeQuery, location="query", unknown=RAISE)
@blp.response(200, MergePage)
def list_merges(query: dict[str, Any]) -> dict[str, Any]:
    """Claims that identities are one person, newest first; refused and undone ones too."""
    last = paging.after(query.get("cursor"), UUID)
    found = actions.history(query.get("customer_id"), last[0] if last else None, query["limit"] + 1)
    return paging.page([_with_ends(row) for row in found], query["limit"], "link_id")


@blp.post("/<uuid:merge_id>/undo")
@require("customers:write")
@idempotent
@blp.response(200, Undone)
def undo_merge(merge_id: UUID) -> dict[str, Any]:
    """Take a merge apart. The pair is joined again only by an alias; everything else is as it was before."""
    return actions.undo(merge_id, principal().name)


def _with_ends(row: dict[str, Any]) -> dict[str, Any]:
    ends = [
        {"identity_id": row[end], "kind": row[f"{end}_kind"], "customer_id": row[f"{end}_customer_id"]}
        for end in ("a", "b")
    ]
    return {**row, "identities": ends}
