"""Segments on the wire."""

from marshmallow import RAISE, Schema, ValidationError, fields, pre_load, validate, validates_schema


def _one_line(value: str) -> None:
    if value != value.strip() or any(ord(character) < 32 for character in value):
        raise ValidationError("must be one line without spaces around it")


class _Strict(Schema):
    """Unknown fields are errors."""

    class Meta:
        unknown = RAISE


class SegmentIn(_Strict):
    """A segment as people write it. What a rule may look like: GET /v1/segments/vocabulary."""

    name = fields.String(required=True, validate=[validate.Length(1, 100), _one_line])
    description = fields.String(load_default="", validate=validate.Length(max=1000))
    rule = fields.Raw(required=True, metadata={"type": "object", "description": "The rule tree."})


class RuleText(Schema):
    """The rule in words."""

    en = fields.String()
    zh = fields.String()


MOST_LISTED = 10_000


class NewSegment(_Strict):
    """A segment to be made: by a rule, or of customers named one by one, which then are a fixed list."""

    name = fields.String(required=True, validate=[validate.Length(1, 100), _one_line])
    description = fields.String(load_default="", validate=validate.Length(max=1000))
    rule = fields.Raw(metadata={"type": "object", "description": "The rule tree."})
    customers = fields.List(
        fields.UUID(),
        validate=validate.Length(1, MOST_LISTED),
        metadata={"description": 'In place of a rule. Its rule is then {"list": its own id}, also for other rules.'},
    )

    @validates_schema
    def _one_of_both(self, data: dict[str, object], **_: object) -> None:
        if ("rule" in data) == ("customers" in data):
            raise ValidationError("give a rule or customers", "rule")


class SegmentOut(Schema):
    """A segment with the state of its membership. `stale`: its members are being found anew."""

    segment_id = fields.UUID(attribute="segment.segment_id")
    name = fields.String(attribute="segment.name")
    description = fields.String(attribute="segment.description")
    rule = fields.Dict(attribute="segment.rule")
    rule_text = fields.Nested(RuleText)
    version = fields.Integer(attribute="segment.version")
    size = fields.Integer(attribute="segment.size")
    stale = fields.Boolean(attribute="segment.stale")
    refreshed_at = fields.AwareDateTime(attribute="segment.refreshed_at", allow_none=True)
    error = fields.String(attribute="segment.error", allow_none=True)
    created_at = fields.AwareDateTime(attribute="segment.created_at")
    updated_at = fields.AwareDateTime(attribute="segment.updated_at")
    archived_at = fields.AwareDateTime(attribute="segment.archived_at", allow_none=True)


class SegmentPage(Schema):
    """Segments in the order they were made."""

    items = fields.List(fields.Nested(SegmentOut))
    next_cursor = fields.String(allow_none=True)


class SegmentQuery(_Strict):
    """Which segments to list."""

    cursor = fields.String()
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    archived = fields.Boolean(load_default=False)


class MemberQuery(_Strict):
    """Which members to list."""

    cursor = fields.String()
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 1000))


class MemberOut(Schema):
    """A customer as a list shows them."""

    customer_id = fields.UUID()
    since = fields.AwareDateTime()
    orders = fields.Integer(allow_none=True)
    net_spend_minor = fields.Integer(allow_none=True)
    currency = fields.String(allow_none=True)
    last_order_at = fields.AwareDateTime(allow_none=True)
    rfm_cell = fields.String(allow_none=True)
    lifecycle = fields.String(allow_none=True)


class MemberPage(Schema):
    """Members in order of id."""

    items = fields.List(fields.Nested(MemberOut))
    next_cursor = fields.String(allow_none=True)


class PreviewIn(_Strict):
    """A rule to try."""

    rule = fields.Raw(required=True, metadata={"type": "object", "description": "The rule tree."})

    @pre_load
    def _has_a_rule(self, data: object, **_: object) -> object:
        if not isinstance(data, dict):
            raise ValidationError("must be an object with a rule")
        return data


class PreviewOut(Schema):
    """How many customers the rule holds for now, of how many, and the biggest spenders among them."""

    size = fields.Integer()
    total = fields.Integer()
    as_of = fields.String()
    rule_text = fields.Nested(RuleText)
    sample = fields.List(fields.Dict())
