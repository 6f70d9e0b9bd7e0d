"""Contracts of campaigns."""

import marshmallow as ma

from services.campaign.domain.assignment import MAX_SHARE
from services.campaign.domain.campaigns import TRANSITIONS
from services.campaign.domain.ledger import STATES
from services.campaign.schemas.paging import PageQuery
from shared.instants import within_reach, within_reach_locally

_ZONED = {"description": "An instant with its offset. Or give `send_at_local` and `send_at_zone`."}
_LOCAL = {"description": "A time on the clock of `send_at_zone`, without an offset: 2026-03-01T09:00:00."}
_SALT = {"description": "The same salt holds out the same customers. Drawn by lot where missing."}
_SLOT = {
    "description": "The slot that fills the items, with its rules and its experiment; null: the personal answer. "
    "`recommend_n` and `recommend_filter` go before the slot's own; with `recommend_n` 0 there are as many as it has."
}
_FALLBACK = {
    "description": "Why letters of the last run went out without the slot: `slot_gone`, it was removed; null: none did."
}
_REPLAY = {"description": "What follows was recorded before: an A/A check of the method."}


class _When(ma.Schema):
    class Meta:
        """Unknown fields are errors."""

        unknown = ma.RAISE

    send_at = ma.fields.AwareDateTime(load_default=None, allow_none=True, metadata=_ZONED, validate=within_reach)
    send_at_local = ma.fields.NaiveDateTime(
        load_default=None, allow_none=True, metadata=_LOCAL, validate=within_reach_locally
    )
    send_at_zone = ma.fields.String(load_default=None, allow_none=True, metadata={"description": "Asia/Shanghai"})


class ScheduleIn(_When):
    """When to send; nothing: at the campaign's own time, or now where it has none."""


class CampaignIn(_When):
    """A campaign as it is drafted."""

    name = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))
    segment_id = ma.fields.UUID(required=True)
    template_id = ma.fields.UUID(required=True)
    purpose = ma.fields.String(load_default="promotional", validate=ma.validate.OneOf(["promotional", "transactional"]))
    holdout_share = ma.fields.Float(load_default=0.1, validate=ma.validate.Range(0, MAX_SHARE))
    assignment_salt = ma.fields.String(
        load_default=None, allow_none=True, validate=ma.validate.Length(1, 200), metadata=_SALT
    )
    recommend_n = ma.fields.Integer(load_default=0, validate=ma.validate.Range(0, 50))
    recommend_slot = ma.fields.String(
        load_default=None, allow_none=True, validate=ma.validate.Length(1, 63), metadata=_SLOT
    )
    recommend_filter = ma.fields.Dict(load_default=dict, metadata={"description": "As of POST /v1/recommendations."})
    attribution_days = ma.fields.Integer(load_default=28, validate=ma.validate.Range(1, 365))
    replay = ma.fields.Boolean(load_default=False, metadata=_REPLAY)


class CampaignOut(ma.Schema):
    """A campaign. `problem`: why it does not go on; `recipients`: how many are in each state of its last run."""

    campaign_id = ma.fields.UUID()
    name = ma.fields.String()
    channel = ma.fields.String()
    purpose = ma.fields.String()
    status = ma.fields.String()
    segment_id = ma.fields.UUID()
    template_id = ma.fields.UUID()
    send_at = ma.fields.AwareDateTime(allow_none=True)
    send_at_local = ma.fields.NaiveDateTime(allow_none=True)
    send_at_zone = ma.fields.String(allow_none=True)
    due_at = ma.fields.AwareDateTime(allow_none=True)
    holdout_share = ma.fields.Float()
    assignment_salt = ma.fields.String()
    recommend_n = ma.fields.Integer()
    recommend_slot = ma.fields.String(allow_none=True)
    recommend_fallback = ma.fields.String(allow_none=True, metadata=_FALLBACK)
    recommend_filter = ma.fields.Dict()
    attribution_days = ma.fields.Integer()
    replay = ma.fields.Boolean()
    problem = ma.fields.String(allow_none=True)
    version = ma.fields.Integer()
    created_by = ma.fields.String()
    created_at = ma.fields.AwareDateTime()
    updated_at = ma.fields.AwareDateTime()
    recipients = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())


class CampaignPage(ma.Schema):
    """A page of campaigns."""

    items = ma.fields.List(ma.fields.Nested(CampaignOut))
    next_cursor = ma.fields.String(allow_none=True)


class CampaignsQuery(PageQuery):
    """Which campaigns."""

    status = ma.fields.String(load_default=None, validate=ma.validate.OneOf(sorted(TRANSITIONS)))


class RecipientsQuery(PageQuery):
    """Which recipients."""

    state = ma.fields.String(load_default=None, validate=ma.validate.OneOf(sorted(STATES)))


class RecipientOut(ma.Schema):
    """One row of the ledger."""

    send_id = ma.fields.UUID()
    customer_id = ma.fields.UUID()
    arm = ma.fields.String(allow_none=True)
    state = ma.fields.String()
    reason = ma.fields.String()
    attempts = ma.fields.Integer()
    due_at = ma.fields.AwareDateTime()
    handed_over_at = ma.fields.AwareDateTime(allow_none=True)
    settled_at = ma.fields.AwareDateTime(allow_none=True)
    reply = ma.fields.String(allow_none=True, metadata={"description": "The provider's answer, addresses masked."})
    items = ma.fields.List(ma.fields.Dict(), allow_none=True, metadata={"description": "What was recommended."})


class RecipientPage(ma.Schema):
    """A page of recipients."""

    items = ma.fields.List(ma.fields.Nested(RecipientOut))
    next_cursor = ma.fields.String(allow_none=True)


class CustomerIn(ma.Schema):
    """Whose message."""

    class Meta:
        """Unknown fields are errors."""

        unknown = ma.RAISE

    customer_id = ma.fields.UUID(required=True)


class TestIn(ma.Schema):
    """Where to send a test, and as whom to render it."""

    class Meta:
        """Unknown fields are errors."""

        unknown = ma.RAISE

    email = ma.fields.String(required=True, validate=ma.validate.Length(3, 254))
    customer_id = ma.fields.UUID(load_default=None, allow_none=True)


class TestOut(ma.Schema):
    """The mail server's answer to a test."""

    state = ma.fields.String()
    reason = ma.fields.String()
    reply = ma.fields.String()


class ReportQuery(ma.Schema):
    """How long after the campaign to look."""

    class Meta:
        """Unknown parameters are errors."""

        unknown = ma.RAISE

    window_days = ma.fields.Integer(load_default=None, validate=ma.validate.Range(1, 365))
