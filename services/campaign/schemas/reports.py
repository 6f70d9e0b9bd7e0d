"""The contract of a campaign's report."""

import marshmallow as ma


class Interval(ma.Schema):
    """A difference between the arms (treated minus held out), two-sided p-value.

    `low` and `high`: 95 % for who looks once; `always_*`: however often one looks.
    """

    estimate = ma.fields.Float()
    low = ma.fields.Float()
    high = ma.fields.Float()
    p_value = ma.fields.Float()
    always_low = ma.fields.Float()
    always_high = ma.fields.Float()
    conclusive = ma.fields.Boolean(metadata={"description": "Whether the interval leaves zero out."})


class Incremental(ma.Schema):
    """Money the campaign caused, over everybody treated."""

    estimate = ma.fields.Integer()
    low = ma.fields.Integer()
    high = ma.fields.Integer()


class SampleRatio(ma.Schema):
    """Whether people fell into the arms as intended; if not, nothing is compared."""

    treated = ma.fields.Integer()
    holdout = ma.fields.Integer()
    intended_holdout_share = ma.fields.Float()
    p_value = ma.fields.Float()
    passed = ma.fields.Boolean()


class Note(ma.Schema):
    """Something to know when reading the figures."""

    code = ma.fields.String()
    message = ma.fields.String()


class Lift(ma.Schema):
    """What the campaign caused, by intention to treat."""

    sample_ratio = ma.fields.Nested(SampleRatio)
    revenue_per_person_minor = ma.fields.Nested(Interval, allow_none=True)
    order_rate = ma.fields.Nested(Interval, allow_none=True)
    incremental_revenue_minor = ma.fields.Nested(Incremental, allow_none=True)
    verdict = ma.fields.String(
        metadata={"description": "higher, lower, inconclusive, too_few, no_holdout, sample_ratio_mismatch"}
    )
    notes = ma.fields.List(ma.fields.Nested(Note))


class Arm(ma.Schema):
    """Everybody assigned to one arm, and what they bought within the window (net of refunds)."""

    people = ma.fields.Integer()
    buyers = ma.fields.Integer()
    orders = ma.fields.Integer()
    revenue_minor = ma.fields.Integer()
    order_rate = ma.fields.Float()
    revenue_per_person_minor = ma.fields.Float()


class Arms(ma.Schema):
    """Both arms."""

    treated = ma.fields.Nested(Arm)
    holdout = ma.fields.Nested(Arm)


class Window(ma.Schema):
    """When purchases count."""

    start = ma.fields.AwareDateTime()
    end = ma.fields.AwareDateTime()
    days = ma.fields.Integer()
    over = ma.fields.Boolean()


class Recipients(ma.Schema):
    """Everybody in the segment when it began, by the state of their message."""

    total = ma.fields.Integer()
    by_state = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())


class Bots(ma.Schema):
    """Messages opened or clicked by machines; counted nowhere else."""

    opened = ma.fields.Integer()
    clicked = ma.fields.Integer()


class Engagement(ma.Schema):
    """Messages (not events) with each outcome."""

    sent = ma.fields.Integer()
    delivered = ma.fields.Integer()
    opened = ma.fields.Integer()
    clicked = ma.fields.Integer()
    unsubscribed = ma.fields.Integer()
    bounced = ma.fields.Integer()
    complained = ma.fields.Integer()
    opened_rate = ma.fields.Float()
    clicked_rate = ma.fields.Float()
    unsubscribed_rate = ma.fields.Float()
    bots = ma.fields.Nested(Bots)


class Link(ma.Schema):
    """One link and who followed it."""

    link_number = ma.fields.Integer(allow_none=True)
    link_url = ma.fields.String(allow_none=True)
    people = ma.fields.Integer()
    clicks = ma.fields.Integer()


class Interrupted(ma.Schema):
    """Hand-overs that a fault cut short, and messages nobody can tell the fate of."""

    windows = ma.fields.Integer()
    uncertain = ma.fields.Integer()


class DayOfArm(ma.Schema):
    """One arm on one day."""

    orders = ma.fields.Integer()
    revenue_minor = ma.fields.Integer()


class Day(ma.Schema):
    """24 hours since the campaign began."""

    day = ma.fields.Integer()
    date = ma.fields.String()
    treated = ma.fields.Nested(DayOfArm)
    holdout = ma.fields.Nested(DayOfArm)


class OtherCurrency(ma.Schema):
    """Purchases in another currency than the shop's: told, never added."""

    currency = ma.fields.String()
    orders = ma.fields.Integer()
    revenue_minor = ma.fields.Integer()


class ReportOut(ma.Schema):
    """What came of a campaign."""

    campaign_id = ma.fields.UUID()
    run_id = ma.fields.UUID()
    name = ma.fields.String()
    status = ma.fields.String()
    problem = ma.fields.String(allow_none=True)
    replay = ma.fields.Boolean()
    as_of = ma.fields.AwareDateTime()
    window = ma.fields.Nested(Window)
    currency = ma.fields.String()
    recipients = ma.fields.Nested(Recipients)
    engagement = ma.fields.Nested(Engagement)
    links = ma.fields.List(ma.fields.Nested(Link))
    interrupted = ma.fields.Nested(Interrupted)
    arms = ma.fields.Nested(Arms)
    in_both_arms = ma.fields.Integer(metadata={"description": "Customers who merged across the arms: in neither."})
    lift = ma.fields.Nested(Lift)
    daily = ma.fields.List(ma.fields.Nested(Day))
    other_currencies = ma.fields.List(ma.fields.Nested(OtherCurrency))
