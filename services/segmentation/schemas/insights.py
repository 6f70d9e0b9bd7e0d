"""Insights on the wire. The replies are built by hand; these document and order the questions."""

from marshmallow import RAISE, Schema, fields, validate

from services.segmentation.domain.lifecycle import STAGES
from services.segmentation.domain.rfm import CELLS


class CustomersQuery(Schema):
    """Which customers to list."""

    class Meta:
        """Unknown fields are errors."""

        unknown = RAISE

    rfm_cell = fields.String(load_default=None, validate=validate.OneOf(CELLS))
    lifecycle = fields.String(load_default=None, validate=validate.OneOf(STAGES))
    cursor = fields.String()
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 1000))


class CustomerInsight(Schema):
    """Features, scores (each with its definition, reasons, as-of and basis) and segments of a customer."""

    customer_id = fields.UUID()
    as_of = fields.AwareDateTime()
    features = fields.Dict()
    scores = fields.List(fields.Dict())
    segments = fields.List(fields.Dict())


class InsightPage(Schema):
    """Customers with their features and scores."""

    items = fields.List(fields.Dict())
    next_cursor = fields.String(allow_none=True)


class Overview(Schema):
    """The shop as a whole."""

    as_of = fields.AwareDateTime()
    customers = fields.Dict()
    totals = fields.List(fields.Dict())
    currency = fields.String()
    weeks = fields.List(fields.Dict())
    lifecycle = fields.List(fields.Dict())
    rfm_cells = fields.List(fields.Dict())
    basis = fields.Dict(allow_none=True)
