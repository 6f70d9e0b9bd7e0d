"""The sample shop on the wire."""

from marshmallow import RAISE, Schema, fields, validate

MOST_SHOPPERS = 20

_line = validate.Regexp(r"[^\r\n\x00]*\Z", error="must be one line")


class Shopper(Schema):
    """A customer whom a visitor of the sample shop may play."""

    class Meta:
        """Unknown fields are errors."""

        unknown = RAISE

    user_id = fields.String(required=True, validate=[validate.Length(1, 256), _line])
    label = fields.String(load_default="", validate=[validate.Length(max=100), _line])


class SampleShop(Schema):
    """Whether the sample shop is open, and whom its visitors may play; what is left out stays as it is."""

    class Meta:
        """Unknown fields are errors."""

        unknown = RAISE

    open = fields.Boolean()
    shoppers = fields.List(fields.Nested(Shopper), validate=validate.Length(max=MOST_SHOPPERS))


class SampleShopReply(SampleShop):
    """All of it, and which version this is."""

    version = fields.Integer()
