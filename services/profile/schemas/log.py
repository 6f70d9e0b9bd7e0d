"""How the log stands."""

from marshmallow import Schema, fields


class LogStatus(Schema):
    """The last position, and what waits to be appended."""

    position = fields.Int()
    room_until = fields.Int(metadata={"description": "last position that has a partition already"})
    intake_rows = fields.Int()
    oldest_received_at = fields.DateTime(allow_none=True)
    oldest_age_seconds = fields.Float()
    rejected_events = fields.Int()
