"""API keys on the wire."""

from marshmallow import RAISE, Schema, fields, validate

from services.console.domain.keys import KINDS


class NewKey(Schema):
    """A key to make."""

    class Meta:
        """Unknown fields are errors."""

        unknown = RAISE

    name = fields.String(required=True, validate=validate.Length(1, 100))
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))


class CreatedKey(Schema):
    """A new key. The secret is in this answer and nowhere else."""

    key_id = fields.UUID()
    secret = fields.String()


class Key(Schema):
    """What is known of a key."""

    key_id = fields.UUID()
    hint = fields.String(metadata={"description": "the first characters of the key"})
    kind = fields.String()
    name = fields.String()
    scopes = fields.List(fields.String())
    created_at = fields.AwareDateTime(format="iso")
    revoked_at = fields.AwareDateTime(format="iso", allow_none=True)


class KeyList(Schema):
    """All keys, those in force first."""

    items = fields.List(fields.Nested(Key))
    next_cursor = fields.String(allow_none=True, load_default=None, dump_default=None)
