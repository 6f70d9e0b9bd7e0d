"""Routes of a customer's messages."""

from typing import Any

from services.campaign.actions import messages as actions
from services.campaign.schemas.messages import FailedPage, FailedQuery, MessagePage, MessagesQuery, RetryIn, RetryOut
from shared.auth import require
from shared.blueprint import Blueprint
from shared.idempotency import idempotent

blp = Blueprint("messages", __name__, url_prefix="/v1/messages", description="What a customer was sent")


@blp.get("")
@require("campaigns:read")
@blp.arguments(MessagesQuery, location="query")
@blp.response(200, MessagePage)
def list_messages(query: dict[str, Any]) -> dict[str, Any]:
    """A customer's messages, newest first, each with what came of it."""
    return actions.messages_of(query["customer_id"], query.get("cursor"), query["limit"])


@blp.get("/failed")
@require("campaigns:read")
@blp.arguments(FailedQuery, location="query")
@blp.response(200, FailedPage)
def list_failed(query: dict[str, Any]) -> dict[str, Any]:
    """Messages that failed and could go again, newest first; mailboxes that do not exist are not among them."""
    return actions.failed(query["limit"])


@blp.post("/retry")
@require("campaigns:send")
@idempotent
@blp.arguments(RetryIn)
@blp.response(200, RetryOut)
def retry(body: dict[str, Any]) -> dict[str, Any]:
    """Make failed messages due again, 1,000 at most; consent, suppression, quiet hours and caps are decided anew.

    `remaining` says how many of all it did not reach; the same request with `next_cursor` as its `cursor` goes on.
    """
    return actions.retry(body["send_ids"], body["cursor"])
