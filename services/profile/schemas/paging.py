"""Lists in pages."""

from marshmallow import Schema, fields, validate


class PageQuery(Schema):
    """Where to go on and how much at once."""

    cursor = fields.Str(metadata={"description": "`next_cursor` of the page before"})
    limit = fields.Int(load_default=50, validate=validate.Range(1, 200))
