"""The contract of the collector, for people and OpenAPI. domain/events.py checks it; a test keeps the two equal."""

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate


class _Id(fields.Field):
    """An id as SDKs send it: text or a whole number."""

    def _deserialize(self, value: object, *_: object, **__: object) -> object:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValidationError("Not a text or a whole number.")
        return value


def _object(description: str) -> fields.Dict:
    return fields.Dict(keys=fields.Str(), allow_none=True, metadata={"description": description})


def _id(description: str) -> _Id:
    return _Id(allow_none=True, metadata={"type": ["string", "integer"], "description": description})


def _instant(description: str) -> fields.Str:
    return fields.Str(allow_none=True, metadata={"format": "date-time", "description": description})


class EventBody(Schema):
    """One event of Segment's tracking specification. Unknown fields are accepted, null is the same as absent."""

    class Meta:
        unknown = INCLUDE

    type = fields.Str(
        allow_none=True,
        validate=validate.OneOf(["track", "identify", "page", "screen", "group", "alias"]),
        metadata={"description": "needed in a batch; elsewhere the address says it"},
    )
    messageId = _id("an event with the same messageId is taken once; made up where it is missing")
    userId = _id("the customer's id in your systems")
    anonymousId = _id("an id of the browser or device; a userId or an anonymousId is needed")
    previousId = _id("alias: the id the customer had before")
    groupId = _id("group: the id of the group")
    event = fields.Str(allow_none=True, metadata={"description": "track: what happened, such as `Order Completed`"})
    name = fields.Str(allow_none=True, metadata={"description": "page, screen: its name"})
    category = fields.Str(allow_none=True)
    properties = _object("track, page, screen: what there is to say about it")
    traits = _object("identify, group: what is known of the customer or group")
    context = _object("where it came from; `context.traits` as in identify")
    integrations = _object("kept, without effect here")
    timestamp = _instant("when it happened, ISO 8601")
    originalTimestamp = _instant("when it happened by the sender's clock")
    sentAt = _instant("when it was sent by the sender's clock: corrects a wrong one")


class BatchBody(Schema):
    """Many events, each with its `type`."""

    class Meta:
        unknown = INCLUDE

    batch = fields.List(fields.Nested(EventBody), required=True)
    writeKey = fields.Str(allow_none=True, metadata={"description": "the API key, if it is not in a header"})
    sentAt = _instant("when the batch was sent by the sender's clock")
    context = _object("shared by all events of the batch")
    integrations = _object("shared by all events of the batch")


class Problem(Schema):
    """Where an event was wrong, and what."""

    path = fields.Str()
    message = fields.Str()


class Collected(Schema):
    """The answer to events: always 200 once they are kept. Counts appear when some of a batch were set aside."""

    success = fields.Bool(required=True)
    accepted = fields.Int()
    rejected = fields.Int()
    errors = fields.List(fields.Nested(Problem), metadata={"description": "of the first twenty that were set aside"})
