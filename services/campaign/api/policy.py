"""Routes of the sending policy."""

from typing import Any

from services.campaign.actions import policy as actions
from services.campaign.schemas.policy import PolicyIn, PolicyOut
from shared.auth import require
from shared.blueprint import Blueprint
from shared.web import check_match, set_etag

blp = Blueprint("sending policy", __name__, url_prefix="/v1/sending-policy", description="Quiet hours and caps")


@blp.get("")
@require("campaigns:read")
@blp.response(200, PolicyOut)
def get_policy() -> dict[str, Any]:
    """The policy in force."""
    found = actions.get_policy()
    set_etag(found["version"])
    return found


@blp.put("")
@require("campaigns:write")
@blp.arguments(PolicyIn)
@blp.response(200, PolicyOut)
def put_policy(fields: dict[str, Any]) -> dict[str, Any]:
    """Replace it."""
    changed = actions.update_policy(fields, check_match)
    set_etag(changed["version"])
    return changed
