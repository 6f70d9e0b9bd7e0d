"""Events that were set aside, and replaying them."""

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from services.profile.schemas.paging import PageQuery


class RejectedQuery(PageQuery):
    """Which rejected events."""

    replayed = fields.Bool(load_default=False, metadata={"description": "those that were replayed instead"})


class Reason(Schema):
    """Why: a code for machines, where, and what."""

    code = fields.Str()
    path = fields.Str()
    message = fields.Str()


class RejectedEvent(Schema):
    """An event that could not be taken as it was."""

    rejected_id = fields.UUID()
    received_at = fields.DateTime()
    source = fields.Str()
    trusted = fields.Bool()
    imported = fields.Bool()
    type = fields.Str(allow_none=True, metadata={"description": "named by the address it was sent to"})
    reasons = fields.List(fields.Nested(Reason))
    event = fields.Raw(metadata={"description": "what was sent: JSON, or text where it is none"})
    replayed_at = fields.DateTime(allow_none=True)
    replayed_by = fields.Str(allow_none=True)


class RejectedPage(Schema):
    """Rejected events, newest first."""

    items = fields.List(fields.Nested(RejectedEvent))
    next_cursor = fields.Str(allow_none=True)


class Replay(Schema):
    """The event as it should have been; without it, it is tried as it was."""

    class Meta:
        unknown = RAISE

    event = fields.Dict(keys=fields.Str(), load_default=None)


class Replayed(Schema):
    """The event is in after all."""

    rejected_id = fields.UUID()
    replayed_at = fields.DateTime()
    message_id = fields.Str()


class ReplayMany(Schema):
    """Which events: named by id, or all that wait (`all`: true), 1,000 of them at most by one request."""

    class Meta:
        unknown = RAISE

    rejected_ids = fields.List(fields.UUID(), load_default=None, validate=validate.Length(min=1, max=500))
    all = fields.Bool(load_default=False)
    cursor = fields.Str(
        load_default=None,
        validate=validate.Length(max=500),
        metadata={"description": "`next_cursor` of the answer before, with the same events"},
    )

    @validates_schema
    def _one_of_both(self, data: dict[str, Any], **_: Any) -> None:
        if bool(data["rejected_ids"]) == data["all"]:
            raise ValidationError("name the events or say all", "rejected_ids")


class RefusedAgain(Schema):
    """An event that could not be replayed, and why."""

    rejected_id = fields.UUID()
    code = fields.Str()
    message = fields.Str()


class ReplayedMany(Schema):
    """What came of a replay of many events."""

    replayed = fields.Int()
    refused = fields.List(fields.Nested(RefusedAgain))
    waiting = fields.Int(metadata={"description": "rejected events that nobody has replayed yet"})
    remaining = fields.Int(metadata={"description": "of those asked for, how many this request did not reach"})
    next_cursor = fields.Str(
        allow_none=True, metadata={"description": "send it as `cursor` to go on; null: all were tried"}
    )
