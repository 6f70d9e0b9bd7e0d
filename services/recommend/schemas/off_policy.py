"""Contracts of what another ranking would have earned."""

import marshmallow as ma

from services.recommend.domain.experiments import GOALS
from services.recommend.domain.off_policy import CANDIDATES
from services.recommend.schemas.experiments import Days


class OffPolicyQuery(Days):
    """Which other strategy, by what it is judged, and from which days."""

    strategy = ma.fields.String(
        required=True,
        validate=ma.validate.OneOf(sorted(CANDIDATES)),
        metadata={"description": "In place of the slot's own; all else of the slot stays as it is set now."},
    )
    goal = ma.fields.String(
        load_default="clicks",
        validate=ma.validate.OneOf(GOALS),
        metadata={"description": "Items clicked, orders of clicked items, or their revenue, per answer."},
    )
    clip = ma.fields.Float(
        load_default=None,
        validate=ma.validate.Range(1, 1e9),
        metadata={"description": "The highest weight of a choice; usually the mean × the root of how many there are."},
    )


class EstimateOut(ma.Schema):
    """Per answer (revenue in minor units), with a 95 % interval."""

    value = ma.fields.Float()
    low = ma.fields.Float()
    high = ma.fields.Float()


class Estimates(ma.Schema):
    """What an answer earns."""

    ips = ma.fields.Nested(
        EstimateOut,
        metadata={"description": "Inverse propensity: places whose items could not have been shown count as nothing."},
    )
    snips = ma.fields.Nested(
        EstimateOut, metadata={"description": "Self-normalised: such places are taken to earn what the others earn."}
    )
    logged = ma.fields.Nested(EstimateOut, metadata={"description": "What these answers did earn."})
    gain = ma.fields.Nested(EstimateOut, metadata={"description": "snips − logged."})


class Diagnostics(ma.Schema):
    """How much the log knows."""

    support = ma.fields.Float(
        metadata={"description": "The share of the other ranking's places whose items could have been shown."}
    )
    effective = ma.fields.Float(metadata={"description": "Choices, as many as equal weights would be (Kish)."})
    effective_drawn = ma.fields.Float(metadata={"description": "The same of those made by lot."})
    drawn_share = ma.fields.Float(metadata={"description": "How much of all weight those have."})
    effective_rewards = ma.fields.Float(metadata={"description": "The same of choices that earned anything."})
    clip = ma.fields.Float(metadata={"description": "The highest weight that was allowed."})
    clipped = ma.fields.Float(metadata={"description": "The share of all weight that it took away."})


class OffPolicyOut(ma.Schema):
    """What another ranking would have earned, or why the log cannot say."""

    slot = ma.fields.String()
    strategy = ma.fields.String()
    goal = ma.fields.String()
    since = ma.fields.Date()
    until = ma.fields.Date()
    window_days = ma.fields.Integer()
    currency = ma.fields.String(metadata={"description": "Revenue in other currencies is left out."})
    answers = ma.fields.Integer(metadata={"description": "Answers that explored; at most 10,000, any."})
    people = ma.fields.Integer()
    left_out = ma.fields.Integer(metadata={"description": "Answers of models whose files are gone."})
    can_say = ma.fields.Boolean()
    why = ma.fields.String(
        allow_none=True,
        metadata={"description": "nothing_explored, too_little_support, too_few_drawn or too_few_rewards."},
    )
    estimates = ma.fields.Nested(Estimates, allow_none=True)
    diagnostics = ma.fields.Nested(Diagnostics, allow_none=True)
