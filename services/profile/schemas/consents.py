"""Changes of consent."""

from marshmallow import RAISE, Schema, fields, validate

from services.profile.domain.consent import CHANNELS
from services.profile.schemas.customers import Consent
from shared.instants import within_reach


class ConsentChange(Schema):
    """A decision, with its proof."""

    class Meta:
        unknown = RAISE

    granted = fields.Bool(required=True, truthy={True}, falsy={False})
    decided_at = fields.AwareDateTime(
        validate=within_reach, metadata={"description": "when the person decided; now where it is missing"}
    )
    source = fields.Str(
        validate=validate.Length(1, 200), metadata={"description": "where: a form, a call; else the key's name"}
    )
    text_version = fields.Str(
        allow_none=True,
        validate=validate.Length(1, 200),
        metadata={"description": "which text the person agreed to"},
    )


class IdentifiedConsentChange(ConsentChange):
    """A decision of the person with an identifier."""

    identifier = fields.Str(required=True, validate=validate.Length(3, 320))
    purpose = fields.Str(required=True)
    channel = fields.Str(required=True, validate=validate.OneOf(CHANNELS))


class ConsentChanges(Schema):
    """Decisions of many people; all are recorded or none."""

    class Meta:
        unknown = RAISE

    consents = fields.List(
        fields.Nested(IdentifiedConsentChange), required=True, validate=validate.Length(min=1, max=5000)
    )


class ConsentsRecorded(Schema):
    """How many decisions were recorded."""

    recorded = fields.Int()


class CustomerConsents(Schema):
    """What a customer has agreed to (`items`: in force) and how it came to that."""

    customer_id = fields.UUID()
    items = fields.List(fields.Nested(Consent))
    history = fields.List(fields.Nested(Consent))
