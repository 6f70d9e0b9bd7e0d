"""Customers, their events and identities."""

from typing import Any

from marshmallow import Schema, ValidationError, validate, validates_schema
from webargs import fields

from services.profile.schemas.paging import PageQuery

TYPES = ["track", "identify", "page", "screen", "group", "alias", "merge", "split"]


class CustomerQuery(PageQuery):
    """Which customers: by one identifier, by name, or all, newest seen first."""

    identifier = fields.Str(
        validate=validate.Length(3, 320),
        metadata={"description": "kind:value, such as email:mei@example.com, phone:+8613800138000 or user_id:42"},
    )
    name = fields.Str(validate=validate.Length(1, 200), metadata={"description": "words of the name, all of them"})
    ids = fields.DelimitedList(
        fields.UUID(), validate=validate.Length(1, 100), metadata={"description": "customer ids with commas between"}
    )

    @validates_schema
    def one_way(self, query: dict[str, Any], **_: Any) -> None:
        """Only one way to search at a time."""
        if len({"identifier", "name", "ids"} & query.keys()) > 1:
            raise ValidationError("search by identifier, by name or by ids, not by several of them")


class TimelineQuery(PageQuery):
    """Which events."""

    type = fields.Str(validate=validate.OneOf(TYPES))


class Identity(Schema):
    """One identifier by which a customer is known. `vouched`: a server has named it."""

    identity_id = fields.UUID()
    kind = fields.Str()
    value = fields.Str()
    vouched = fields.Bool()
    created_at = fields.DateTime()


class Consent(Schema):
    """A decision on being addressed for a purpose over a channel."""

    purpose = fields.Str()
    channel = fields.Str()
    granted = fields.Bool()
    decided_at = fields.DateTime()
    source = fields.Str()
    text_version = fields.Str(allow_none=True)


class Customer(Schema):
    """A customer, contact fields in plain text."""

    customer_id = fields.UUID()
    identified = fields.Bool()
    user_id = fields.Str(allow_none=True)
    email = fields.Str(allow_none=True)
    phone = fields.Str(allow_none=True)
    name = fields.Str(allow_none=True)
    locale = fields.Str(allow_none=True)
    time_zone = fields.Str(allow_none=True)
    country = fields.Str(allow_none=True)
    city = fields.Str(allow_none=True)
    traits = fields.Dict(keys=fields.Str())
    first_seen_at = fields.DateTime()
    last_seen_at = fields.DateTime()
    updated_at = fields.DateTime()


class CustomerDetail(Customer):
    """A customer with identities and the consents in force."""

    identities = fields.List(fields.Nested(Identity))
    consents = fields.List(fields.Nested(Consent))


class CustomerPage(Schema):
    """Customers."""

    items = fields.List(fields.Nested(Customer))
    next_cursor = fields.Str(allow_none=True)


class Event(Schema):
    """One entry of the log. `payload` is what was sent beside the ids; contact fields in plain text."""

    position = fields.Int()
    message_id = fields.Str()
    type = fields.Str()
    event = fields.Str(allow_none=True)
    identity_id = fields.UUID(allow_none=True)
    occurred_at = fields.DateTime()
    received_at = fields.DateTime()
    imported = fields.Bool()
    trusted = fields.Bool()
    source = fields.Str()
    payload = fields.Dict(keys=fields.Str())


class EventPage(Schema):
    """Events, newest first."""

    items = fields.List(fields.Nested(Event))
    next_cursor = fields.Str(allow_none=True)


class IdentityList(Schema):
    """Identities, oldest first."""

    items = fields.List(fields.Nested(Identity))
    next_cursor = fields.Str(allow_none=True)
