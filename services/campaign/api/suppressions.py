"""Routes of suppressed addresses."""

from typing import Any

from services.campaign.actions import suppressions as actions
from services.campaign.schemas.paging import PageQuery
from services.campaign.schemas.suppressions import AddressIn, SuppressionIn, SuppressionPage
from shared.auth import require
from shared.blueprint import Blueprint

blp = Blueprint("suppressions", __name__, url_prefix="/v1/suppressions", description="Who is written to no more")


@blp.get("")
@require("campaigns:read")
@blp.arguments(PageQuery, location="query")
@blp.response(200, SuppressionPage)
def list_suppressions(query: dict[str, Any]) -> dict[str, Any]:
    """Suppressed addresses, newest first, each with the reason."""
    return actions.list_suppressions(query.get("cursor"), query["limit"])


@blp.post("")
@require("campaigns:write")
@blp.arguments(SuppressionIn)
@blp.response(204)
def post_suppression(fields: dict[str, Any]) -> None:
    """Write to an address no more. Safe to repeat."""
    actions.suppress(fields)


@blp.post("/lift")
@require("campaigns:write")
@blp.arguments(AddressIn)
@blp.response(204)
def lift_suppression(fields: dict[str, Any]) -> None:
    """Write to an address again (its consent is profile's business)."""
    actions.lift(fields["email"])
