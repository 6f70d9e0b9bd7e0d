"""Full computations on the wire."""

from marshmallow import RAISE, Schema, fields

from shared.instants import within_reach


class RecomputeIn(Schema):
    """What to compute as of; left out: the shop's business clock, or now."""

    class Meta:
        """Unknown fields are errors."""

        unknown = RAISE

    as_of = fields.AwareDateTime(format="iso", load_default=None, allow_none=True, validate=within_reach)


class JobOut(Schema):
    """A full computation and how far it is, in customers."""

    job_id = fields.UUID()
    reason = fields.String()
    state = fields.String()
    as_of = fields.AwareDateTime(allow_none=True)
    computed_as_of = fields.AwareDateTime(allow_none=True)
    done = fields.Integer()
    total = fields.Integer(allow_none=True)
    error = fields.String(allow_none=True)
    requested_at = fields.AwareDateTime()
    started_at = fields.AwareDateTime(allow_none=True)
    finished_at = fields.AwareDateTime(allow_none=True)


class JobPage(Schema):
    """The last computations, newest first."""

    items = fields.List(fields.Nested(JobOut))
    next_cursor = fields.String(allow_none=True)
