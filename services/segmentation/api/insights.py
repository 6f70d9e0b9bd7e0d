"""Routes of what is known of customers."""

from typing import Any
from uuid import UUID

from flask import Response

from services.segmentation.actions import insights as actions
from services.segmentation.api.cursors import after_id, paged
from services.segmentation.schemas.insights import CustomerInsight, CustomersQuery, InsightPage, Overview
from shared.auth import require
from shared.blueprint import Blueprint
from shared.web import json_bytes

blp = Blueprint("insights", __name__, url_prefix="/v1/insights", description="What is known of customers")


@blp.get("/overview")
@require("overview:read")
@blp.alt_response(200, schema=Overview)
def get_overview() -> Response:
    """The shop as a whole: customers, money by currency and week, lifecycle stages, RFM cells."""
    return json_bytes(actions.overview())


@blp.get("/customers")
@require("customers:read")
@blp.arguments(CustomersQuery, location="query")
@blp.alt_response(200, schema=InsightPage)
def list_customers(query: dict[str, Any]) -> Response:
    """Customers with features and scores, in order of id."""
    found = actions.customers(query["rfm_cell"], query["lifecycle"], after_id(query), query["limit"] + 1)
    return json_bytes(paged(found, query["limit"], lambda one: one["customer_id"]))


@blp.get("/customers/<uuid:customer_id>")
@require("customers:read")
@blp.alt_response(200, schema=CustomerInsight)
def get_customer(customer_id: UUID) -> Response:
    """Features, scores with their reasons, and segments of one customer."""
    return json_bytes(actions.customer(customer_id))
