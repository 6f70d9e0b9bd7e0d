"""Contracts of a customer's messages."""

import marshmallow as ma

from services.campaign.schemas.paging import PageQuery


class MessagesQuery(PageQuery):
    """Whose messages."""

    customer_id = ma.fields.UUID(required=True)


class MessageOut(ma.Schema):
    """One message to one customer."""

    send_id = ma.fields.UUID()
    campaign_id = ma.fields.UUID()
    campaign_name = ma.fields.String()
    channel = ma.fields.String()
    purpose = ma.fields.String()
    subject = ma.fields.String(metadata={"description": "What is personal in it is left out."})
    state = ma.fields.String()
    reason = ma.fields.String()
    handed_over_at = ma.fields.AwareDateTime(allow_none=True)
    settled_at = ma.fields.AwareDateTime(allow_none=True)
    items = ma.fields.List(ma.fields.Dict(), allow_none=True)
    outcomes = ma.fields.List(ma.fields.String())


class MessagePage(ma.Schema):
    """A page of messages."""

    items = ma.fields.List(ma.fields.Nested(MessageOut))
    next_cursor = ma.fields.String(allow_none=True)
