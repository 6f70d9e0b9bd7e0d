"""Contracts of a customer's messages."""

from typing import Any

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


class FailedQuery(ma.Schema):
    """How many to show."""

    limit = ma.fields.Integer(load_default=50, validate=ma.validate.Range(1, 500))


class FailedOut(ma.Schema):
    """A message that was not delivered and is not tried again by itself."""

    send_id = ma.fields.UUID()
    customer_id = ma.fields.UUID()
    campaign_id = ma.fields.UUID()
    campaign_name = ma.fields.String()
    channel = ma.fields.String()
    reason = ma.fields.String()
    reply = ma.fields.String(allow_none=True)
    attempts = ma.fields.Integer()
    settled_at = ma.fields.AwareDateTime()


class FailedPage(ma.Schema):
    """The newest of them."""

    items = ma.fields.List(ma.fields.Nested(FailedOut))
    waiting = ma.fields.Integer(metadata={"description": "how many there are"})


class RetryIn(ma.Schema):
    """Which messages: named by id, or all that failed (`all`: true), 1,000 of them at most by one request."""

    send_ids = ma.fields.List(ma.fields.UUID(), load_default=None, validate=ma.validate.Length(1, 1000))
    all = ma.fields.Boolean(load_default=False)
    cursor = ma.fields.String(
        load_default=None,
        validate=ma.validate.Length(max=500),
        metadata={"description": "`next_cursor` of the answer before"},
    )

    @ma.validates_schema
    def _one_of_both(self, data: dict[str, Any], **_: Any) -> None:
        if bool(data["send_ids"]) == data["all"]:
            raise ma.ValidationError("name the messages or say all", "send_ids")


class RetryOut(ma.Schema):
    """How many are due again."""

    retried = ma.fields.Integer()
    remaining = ma.fields.Integer(metadata={"description": "of all, how many this request did not reach"})
    next_cursor = ma.fields.String(
        allow_none=True, metadata={"description": "send it as `cursor` to go on; null: all are due again"}
    )
