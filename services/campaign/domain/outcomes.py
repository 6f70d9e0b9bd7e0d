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


# Of recommended items, as a storefront tells them.
SHOWN: Final = "Recommendation Shown"
CLICKED: Final = "Recommendation Clicked"


def events_of(outcome: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What an outcome says: of the message, and of the items that a slot recommended in it.

    Those count as shown once a person is known to have seen the message (`shown`; many readers show no pictures, so a
    click says it, too), and an item as clicked when the link to it is.
    """
    told = [_message_event(outcome)]
    if outcome["shown"]:
        told.append(_event(outcome, SHOWN, f"{outcome['send_id']}:shown", outcome["shown"] | _slot(outcome)))
    if outcome["recommendation_id"]:
        clicked = {
            "recommendation_id": str(outcome["recommendation_id"]),
            "item_id": outcome["item_id"],
            "position": outcome["place"],
        }
        told.append(_event(outcome, CLICKED, f"{outcome['message_id']}:item", clicked | _slot(outcome)))
    return told


def _slot(outcome: Mapping[str, Any]) -> dict[str, Any]:
    return {"slot": outcome["recommend_slot"], "campaign_id": str(outcome["campaign_id"])}


def _message_event(outcome: Mapping[str, Any]) -> dict[str, Any]:
    properties = {
        "email_id": str(outcome["send_id"]),
        "email_subject": outcome["subject"],
        "campaign_id": str(outcome["campaign_id"]),
        "campaign_name": outcome["campaign_name"],
    }
    if outcome["kind"] == "clicked":
        properties["link_id"] = str(outcome["link_number"])
        properties["link_url"] = outcome["link_url"]
    return _event(outcome, EVENT_NAMES[outcome["kind"]], outcome["message_id"], properties)


def _event(outcome: Mapping[str, Any], name: str, message_id: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """A `track` message. Its messageId depends on the outcome only, so that telling it twice tells it once.

    The person is named by the identity it was sent to, so that a later split takes the event to the right one.
    """
    context: dict[str, Any] = {
        "campaign": {"name": outcome["campaign_name"], "medium": "email", "id": str(outcome["campaign_id"])},
        "library": {"name": SOURCE, "version": "1"},
        "identityId": str(outcome["identity_id"]),
    }
    if outcome["user_agent"]:
        context["userAgent"] = outcome["user_agent"]
    return {
        "type": "track",
        "event": name,
        "messageId": f"campaign:{message_id}",
        "timestamp": outcome["occurred_at"].isoformat(),
        "properties": dict(properties),
        "context": context,
    }
