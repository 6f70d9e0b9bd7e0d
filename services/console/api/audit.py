"""The audit log."""

from typing import Any
from uuid import UUID

from services.console.actions import audit as actions
from services.console.schemas.audit import AuditList, AuditQuery
from services.console.store.audit import Filter
from shared.auth import require
from shared.blueprint import Blueprint
from shared.problems import BadRequest
from shared.web import decode_cursor, encode_cursor

blp = Blueprint("Audit log", __name__, url_prefix="/v1/audit", description="Who changed what")


@blp.get("")
@require("audit:read")
@blp.arguments(AuditQuery, location="query")
@blp.response(200, AuditList)
def get_audit(query: dict[str, Any]) -> dict[str, Any]:
    """Changes in all services from the newest on: who, what, before and after."""
    limit, before = query.pop("limit"), cursor_id(query.pop("cursor", None))
    items = actions.read(Filter(**query), before, limit)
    more = len(items) == limit
    return {"items": items, "next_cursor": encode_cursor(items[-1].entry_id) if more else None}


def cursor_id(cursor: str | None) -> UUID | None:
    """The entry after which a list goes on. Raises BadRequest."""
    values = decode_cursor(cursor)
    if values is None:
        return None
    try:
        return UUID(*values)
    except (TypeError, ValueError, AttributeError) as error:
        raise BadRequest("the cursor is not one of ours; start again without it", code="bad_cursor") from error
