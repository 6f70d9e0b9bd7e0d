"""Routes of a customer's messages."""

from typing import Any

from services.campaign.actions import messages as actions
from services.campaign.schemas.messages import MessagePage, MessagesQuery
from shared.auth import require
from shared.blueprint import Blueprint

blp = Blueprint("messages", __name__, url_prefix="/v1/messages", description="What a customer was sent")


@blp.get("")
@require("campaigns:read")
@blp.arguments(MessagesQuery, location="query")
@blp.response(200, MessagePage)
def list_messages(query: dict[str, Any]) -> dict[str, Any]:
    """A customer's messages, newest first, each with what came of it."""
    return actions.messages_of(query["customer_id"], query.get("cursor"), query["limit"])
