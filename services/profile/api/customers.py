"""Customers: finding one, looking at one."""

from datetime import datetime
from typing import Any
from uuid import UUID

from marshmallow import RAISE

from services.profile.actions import customers as actions
from services.profile.api import paging
from services.profile.schemas.customers import (
    CustomerDetail,
    CustomerPage,
    CustomerQuery,
    EventPage,
    IdentityList,
    TimelineQuery,
)
from shared.auth import require
from shared.blueprint import Blueprint

blp = Blueprint("customers", __name__, url_prefix="/v1/customers", description="Who the customers are")


@blp.get("")
@require("customers:read")
@blp.arguments(CustomerQuery, location="query", unknown=RAISE)
@blp.response(200, CustomerPage)
def list_customers(query: dict[str, Any]) -> dict[str, Any]:
    """Find customers by an identifier, by name or by ids, or list them, newest seen first."""
    if "identifier" in query:
        return {"items": actions.by_identifier(query["identifier"]), "next_cursor": None}
    if "ids" in query:
        return {"items": actions.by_ids(query["ids"]), "next_cursor": None}
    limit = query["limit"]
    if "name" in query:
        last = paging.after(query.get("cursor"), UUID)
        found = actions.by_name(query["name"], last[0] if last else None, limit + 1)
        return paging.page(found, limit, "customer_id")
    before = paging.after(query.get("cursor"), datetime.fromisoformat, UUID)
    return paging.page(actions.newest_seen(before, limit + 1), limit, "last_seen_at", "customer_id")


@blp.get("/<uuid:customer_id>")
@require("customers:read")
@blp.response(200, CustomerDetail)
def get_customer(customer_id: UUID) -> actions.Customer:
    """One customer with identities and consents. Ids from before a merge find the customer of today."""
    return actions.get_customer(customer_id)


@blp.get("/<uuid:customer_id>/events")
@require("customers:read")
@blp.arguments(TimelineQuery, location="query", unknown=RAISE)
@blp.response(200, EventPage)
def list_events(query: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """What a customer did, newest first."""
    limit = query["limit"]
    before = paging.after(query.get("cursor"), datetime.fromisoformat, int)
    types = [query["type"]] if "type" in query else None
    return paging.page(actions.timeline(customer_id, before, limit + 1, types), limit, "occurred_at", "position")


@blp.get("/<uuid:customer_id>/identities")
@require("customers:read")
@blp.response(200, IdentityList)
def list_identities(customer_id: UUID) -> dict[str, Any]:
    """The identifiers by which a customer is known."""
    return {"items": actions.identities(customer_id), "next_cursor": None}
