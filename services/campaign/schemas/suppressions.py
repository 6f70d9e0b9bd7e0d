"""Contracts of suppressed addresses."""

import marshmallow as ma


class SuppressionIn(ma.Schema):
    """An address to write to no more. `all`: transactional messages neither."""

    class Meta:
        """Unknown fields are errors."""

        unknown = ma.RAISE

    email = ma.fields.String(required=True, validate=ma.validate.Length(3, 254))
    scope = ma.fields.String(load_default="promotional", validate=ma.validate.OneOf(["promotional", "all"]))
    source = ma.fields.String(load_default="", validate=ma.validate.Length(max=200))


class AddressIn(ma.Schema):
    """An address."""

    class Meta:
        """Unknown fields are errors."""

        unknown = ma.RAISE

    email = ma.fields.String(required=True, validate=ma.validate.Length(3, 254))


class SuppressionOut(ma.Schema):
    """A suppressed address."""

    email = ma.fields.String()
    channel = ma.fields.String()
    scope = ma.fields.String()
    reason = ma.fields.String(metadata={"description": "unsubscribed, bounced, complained or by_hand"})
    source = ma.fields.String()
    created_at = ma.fields.AwareDateTime()


class SuppressionPage(ma.Schema):
    """A page of suppressed addresses."""

    items = ma.fields.List(ma.fields.Nested(SuppressionOut))
    next_cursor = ma.fields.String(allow_none=True)
