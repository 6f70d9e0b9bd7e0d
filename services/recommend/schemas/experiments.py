"""Contracts of experiments and of the report on recommendations."""

import marshmallow as ma

from services.recommend.domain.experiments import GOALS
from services.recommend.schemas.slots import Variant
from shared.instants import EARLIEST, LATEST

_DAYS = ma.validate.Range(EARLIEST.date(), LATEST.date(), error="must lie between 1990 and 2190")


class _Strict(ma.Schema):
    class Meta:
        """Unknown members are errors."""

        unknown = ma.RAISE


class ExperimentIn(_Strict):
    """Variants of a slot; the first is the control the others are compared with. Shares add up to 1."""

    variants = ma.fields.List(ma.fields.Nested(Variant), required=True, validate=ma.validate.Length(2, 10))


class ApplyIn(_Strict):
    """Which variant the slot takes over."""

    variant = ma.fields.String(required=True, validate=ma.validate.Length(1, 64))


class ResultQuery(_Strict):
    """Which experiment (none: the newest), and by what it is judged."""

    experiment_id = ma.fields.String(load_default=None, validate=ma.validate.Length(1, 64))
    goal = ma.fields.String(
        load_default="clicks",
        validate=ma.validate.OneOf(GOALS),
        metadata={"description": "People who click, people who order, or revenue per person."},
    )


class ExperimentShown(ma.Schema):
    """One experiment."""

    id = ma.fields.String()
    slot = ma.fields.String()
    started_at = ma.fields.AwareDateTime()
    ended_at = ma.fields.AwareDateTime(allow_none=True)
    applied = ma.fields.String(allow_none=True, metadata={"description": "The variant that the slot took over."})
    settings = ma.fields.List(ma.fields.Dict(), metadata={"description": "The variants as they were set."})


class ExperimentPage(ma.Schema):
    """The experiments of a slot, the newest first."""

    items = ma.fields.List(ma.fields.Nested(ExperimentShown))


class SampleRatio(ma.Schema):
    """Whether people fell into the variants in the intended shares (chi-square; below .001 nothing is compared)."""

    p_value = ma.fields.Float()
    passed = ma.fields.Boolean()


class DifferenceOut(ma.Schema):
    """A variant minus the control. `low` and `high`: 95 % for who looks once; `always_*`: however often one looks."""

    estimate = ma.fields.Float()
    low = ma.fields.Float()
    high = ma.fields.Float()
    p_value = ma.fields.Float()
    p_value_adjusted = ma.fields.Float(metadata={"description": "For several variants, by Holm."})
    always_low = ma.fields.Float()
    always_high = ma.fields.Float()


class Differences(ma.Schema):
    """By goal; null where there are too few people."""

    clicks = ma.fields.Nested(DifferenceOut, allow_none=True)
    orders = ma.fields.Nested(DifferenceOut, allow_none=True)
    revenue = ma.fields.Nested(DifferenceOut, allow_none=True)


class VariantOut(ma.Schema):
    """One variant, over everybody who was first seen with it (intention to treat)."""

    name = ma.fields.String()
    share = ma.fields.Float()
    people = ma.fields.Integer()
    impressions = ma.fields.Integer()
    clicks = ma.fields.Integer()
    click_through_rate = ma.fields.Float()
    click_through_rate_error = ma.fields.Float(metadata={"description": "Its standard error, by the delta method."})
    clickers = ma.fields.Integer()
    click_rate = ma.fields.Float()
    buyers = ma.fields.Integer(metadata={"description": "Who bought anything after they were first seen."})
    order_rate = ma.fields.Float()
    revenue_minor = ma.fields.Integer()
    revenue_per_person_minor = ma.fields.Float()
    against_control = ma.fields.Nested(Differences, allow_none=True)
    against_control_cuped = ma.fields.Nested(
        Differences,
        allow_none=True,
        metadata={"description": "The same with what people did before taken out; null where too little is known."},
    )


class Saved(ma.Schema):
    """By goal, the share of the variance within variants that is explained by what people did before."""

    clicks = ma.fields.Float()
    orders = ma.fields.Float()
    revenue = ma.fields.Float()


class Cuped(ma.Schema):
    """What people did in the 28 days before they were first seen, taken out of the comparison (CUPED)."""

    judged_by = ma.fields.Boolean(metadata={"description": "Whether the verdict goes by the sharper differences."})
    known = ma.fields.Integer(metadata={"description": "People who did anything then; below 100 it is not used."})
    variance_saved = ma.fields.Nested(Saved)


class ResultOut(ExperimentShown):
    """What came of an experiment."""

    goal = ma.fields.String()
    verdict = ma.fields.String(
        validate=ma.validate.OneOf(["winner", "no_difference_yet", "do_not_trust"]),
    )
    winner = ma.fields.String(allow_none=True)
    why = ma.fields.String(
        allow_none=True,
        metadata={"description": "sample_ratio_mismatch, too_early, too_few_people or inconclusive."},
    )
    sample_ratio = ma.fields.Nested(SampleRatio)
    cuped = ma.fields.Nested(Cuped)
    people_needed = ma.fields.Integer(
        allow_none=True, metadata={"description": "In each variant, to see a change of a tenth four times in five."}
    )
    people_needed_for_change = ma.fields.Float()
    currency = ma.fields.String(metadata={"description": "Revenue in other currencies is left out."})
    variants = ma.fields.List(ma.fields.Nested(VariantOut))


class Days(_Strict):
    """Which days (of the shop's calendar, both included; usually the last 28)."""

    since = ma.fields.Date(load_default=None, validate=_DAYS)
    until = ma.fields.Date(load_default=None, validate=_DAYS)
    window_days = ma.fields.Integer(
        load_default=7,
        validate=ma.validate.Range(1, 30),
        metadata={"description": "What is bought so many days after a click on it counts for the click."},
    )


class ReportQuery(Days):
    """Which days, and which slot."""

    slot = ma.fields.String(load_default=None, validate=ma.validate.Length(1, 63))


class Money(ma.Schema):
    """An amount."""

    currency = ma.fields.String()
    amount_minor = ma.fields.Integer()


class ReportRow(ma.Schema):
    """What was shown, clicked and bought. Without `day`: on all days; people are then counted once."""

    slot = ma.fields.String(allow_none=True)
    strategy = ma.fields.String(allow_none=True)
    experiment_id = ma.fields.String(allow_none=True)
    variant = ma.fields.String(allow_none=True)
    day = ma.fields.Date(allow_none=True)
    impressions = ma.fields.Integer()
    viewers = ma.fields.Integer()
    clicks = ma.fields.Integer()
    clickers = ma.fields.Integer()
    click_through_rate = ma.fields.Float()
    orders = ma.fields.Integer()
    revenue = ma.fields.List(ma.fields.Nested(Money))


class ReportOut(ma.Schema):
    """What came of recommendations."""

    since = ma.fields.Date()
    until = ma.fields.Date()
    window_days = ma.fields.Integer()
    totals = ma.fields.List(ma.fields.Nested(ReportRow))
    days = ma.fields.List(ma.fields.Nested(ReportRow))
