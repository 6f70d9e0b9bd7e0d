"""Outcomes of messages as events of Segment's e-mail specification, and the other way round."""

from collections.abc import Mapping
from typing import Any, Final

EVENT_NAMES: Final = {
    "delivered": "Email Delivered",
    "opened": "Email Opened",
    "clicked": "Email Link Clicked",
    "bounced": "Email Bounced",
    "complained": "Email Marked as Spam",
    "unsubscribed": "Unsubscribed",
}
# Told by other senders of the shop: the address is left alone. Scope and reason of the suppression.
SUPPRESSING: Final = {
    "Email Bounced": ("all", "bounced"),
    "Email Marked as Spam": ("promotional", "complained"),
    "Unsubscribed": ("promotional", "unsubscribed"),
}
SOURCE: Final = "zhike-campaign"


def event_of(outcome: Mapping[str, Any]) -> dict[str, Any]:
    """A `track` message. Its messageId depends on the outcome only, so that telling it twice tells it once.

    The person is named by the identity it was sent to, so that a later split takes the event to the right one.
    """
    properties = {
        "email_id": str(outcome["send_id"]),
        "email_subject": outcome["subject"],
        "campaign_id": str(outcome["campaign_id"]),
        "campaign_name": outcome["campaign_name"],
    }
    if outcome["kind"] == "clicked":
        properties["link_id"] = str(outcome["link_number"])
        properties["link_url"] = outcome["link_url"]
    context: dict[str, Any] = {
        "campaign": {"name": outcome["campaign_name"], "medium": "email", "id": str(outcome["campaign_id"])},
        "library": {"name": SOURCE, "version": "1"},
        "identityId": str(outcome["identity_id"]),
    }
    if outcome["user_agent"]:
        context["userAgent"] = outcome["user_agent"]
    return {
        "type": "track",
        "event": EVENT_NAMES[outcome["kind"]],
        "messageId": f"campaign:{outcome['message_id']}",
        "timestamp": outcome["occurred_at"].isoformat(),
        "properties": properties,
        "context": context,
    }
