"""The audit log on the wire."""

from marshmallow import EXCLUDE, Schema, fields, validate


class AuditQuery(Schema):
    """Which part of the audit log."""

    class Meta:
        """Other query parameters mean nothing here."""

        unknown = EXCLUDE

    cursor = fields.String()
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 500))
    actor_id = fields.String(validate=validate.Length(max=100))
    action = fields.String(
        validate=validate.Length(max=50),
        metadata={"description": "`campaign.start`, or with a point at the end every action of a kind: `campaign.`"},
    )
    subject_kind = fields.String(validate=validate.Length(max=50))
    subject_id = fields.String(validate=validate.Length(max=200))
    since = fields.AwareDateTime(format="iso")
    until = fields.AwareDateTime(format="iso", metadata={"description": "before this instant"})


class AuditEntry(Schema):
    """One change: who, what, before and after."""

    entry_id = fields.UUID()
    at = fields.AwareDateTime(format="iso")
    service = fields.String()
    actor_kind = fields.String()
    actor_id = fields.String()
    actor_name = fields.String()
    action = fields.String()
    subject_kind = fields.String()
    subject_id = fields.String()
    before = fields.Dict(allow_none=True)
    after = fields.Dict(allow_none=True)
    request_id = fields.String(allow_none=True)


class AuditList(Schema):
    """Entries from the newest on."""

    items = fields.List(fields.Nested(AuditEntry))
    next_cursor = fields.String(allow_none=True)
