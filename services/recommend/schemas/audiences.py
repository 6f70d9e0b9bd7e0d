"""Contracts of audiences: whom to offer an item or a category."""

from typing import Any

import marshmallow as ma

MOST_SELECTED = 10_000


class AudienceIn(ma.Schema):
    """What is offered (an item or a category), and to whom it may be."""

    class Meta:
        """Unknown members are errors."""

        unknown = ma.RAISE

    item_id = ma.fields.String(validate=ma.validate.Length(1, 256))
    category = ma.fields.Raw(metadata={"description": 'A category ("Tea", "Tea > Green", or a list of its parts).'})
    limit = ma.fields.Integer(
        load_default=1_000,
        validate=ma.validate.Range(1, MOST_SELECTED),
        metadata={"description": "At most so many customers, those with the highest probability first."},
    )
    horizon_days = ma.fields.Integer(
        load_default=28,
        validate=ma.validate.Range(7, 180),
        metadata={"description": "The response meant: to buy it within so many days."},
    )
    exclude_bought_within_days = ma.fields.Integer(
        load_default=None,
        allow_none=True,
        validate=ma.validate.Range(1, 3_650),
        metadata={"description": "Leave out who has bought it in the last days."},
    )
    contactable = ma.fields.List(
        ma.fields.String(validate=ma.validate.OneOf(["email", "phone"])),
        load_default=list,
        validate=ma.validate.Length(0, 2),
        metadata={"description": "Only customers of whom one of these is known. Consent is decided when it is sent."},
    )
    segment_id = ma.fields.UUID(load_default=None, allow_none=True)
    country = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Regexp("^[A-Z]{2}$"))
    min_probability = ma.fields.Float(load_default=0.0, validate=ma.validate.Range(0, 1))

    @ma.validates_schema
    def _one_target(self, data: dict[str, Any], **_: Any) -> None:
        if ("item_id" in data) == ("category" in data):
            raise ma.ValidationError("name exactly one of item_id and category", "item_id")
        category = data.get("category", "-")
        parts = category if isinstance(category, list) else [category]
        if not 1 <= len(parts) <= 10 or not all(isinstance(part, str) and 0 < len(part) <= 1_000 for part in parts):
            raise ma.ValidationError("a category is a text, or a list of up to 10 texts", "category")


class ExcludedOut(ma.Schema):
    """How many each rule left out; somebody is counted by the first rule that does."""

    bought_recently = ma.fields.Integer()
    not_contactable = ma.fields.Integer()
    other_country = ma.fields.Integer()


class ReachOut(ma.Schema):
    """Customers with a history (of the segment, where one is named), those that may be offered it, those returned."""

    customers = ma.fields.Integer()
    eligible = ma.fields.Integer()
    selected = ma.fields.Integer()
    excluded = ma.fields.Nested(ExcludedOut)


class ExpectedOut(ma.Schema):
    """How many of some customers will buy it within the horizon, with a 95 % interval."""

    customers = ma.fields.Integer()
    buyers = ma.fields.Float()
    low = ma.fields.Float()
    high = ma.fields.Float()


class CalibrationOut(ma.Schema):
    """Where the probabilities come from: what customers did in the horizon that has just passed."""

    basis = ma.fields.String(
        metadata={"description": "item, category (too few bought the item itself), or none (then nothing is expected)."}
    )
    people = ma.fields.Integer(metadata={"description": "Customers whose doings were compared with their scores."})
    buyers = ma.fields.Integer()
    auc = ma.fields.Float(metadata={"description": "On customers the score had not been fitted to; 0.5 is chance."})
    lift = ma.fields.Float(metadata={"description": "Rate of the best tenth over that of everybody, likewise."})


class AudienceMember(ma.Schema):
    """One customer; `probability` is that of buying within the horizon, with a 95 % interval."""

    customer_id = ma.fields.UUID()
    score = ma.fields.Float()
    probability = ma.fields.Float(allow_none=True)
    low = ma.fields.Float(allow_none=True)
    high = ma.fields.Float(allow_none=True)
    bought_before = ma.fields.Boolean()
    reasons = ma.fields.List(
        ma.fields.String(),
        metadata={"description": "What lifts them above the average customer, the most first; words in reason_texts."},
    )


class InWords(ma.Schema):
    """A reason for people to read."""

    en = ma.fields.String()
    zh = ma.fields.String()


class AudienceOut(ma.Schema):
    """Customers for an item or a category, best first, how many there are, and what to expect of them."""

    item_id = ma.fields.String(allow_none=True)
    category = ma.fields.List(ma.fields.String(), allow_none=True)
    as_of = ma.fields.AwareDateTime()
    horizon_days = ma.fields.Integer()
    model_version = ma.fields.String(allow_none=True)
    reach = ma.fields.Nested(ReachOut)
    expected = ma.fields.Nested(ExpectedOut, allow_none=True, metadata={"description": "Of those selected."})
    curve = ma.fields.List(
        ma.fields.Nested(ExpectedOut),
        metadata={"description": "The same of the best so many, up to all that are eligible."},
    )
    calibration = ma.fields.Nested(CalibrationOut)
    reason_texts = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Nested(InWords))
    customers = ma.fields.List(ma.fields.Nested(AudienceMember))
