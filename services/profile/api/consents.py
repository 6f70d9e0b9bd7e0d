"""Consent: what customers have agreed to, and how they came to that."""

from typing import Any
from uuid import UUID

from services.profile.actions import consents as actions
from services.profile.domain.consent import Decision
from services.profile.schemas.consents import ConsentChange, ConsentChanges, ConsentsRecorded, CustomerConsents
from services.profile.schemas.customers import Consent
from shared.auth import principal, require
from shared.blueprint import Blueprint
from shared.idempotency import idempotent

blp = Blueprint("consents", __name__, url_prefix="/v1", description="What customers have agreed to")


@blp.get("/customers/<uuid:customer_id>/consents")
@require("customers:read")
@blp.response(200, CustomerConsents)
def get_consents(customer_id: UUID) -> dict[str, Any]:
    """The consents in force for a customer, and every decision that led there."""
    return actions.consents_of(customer_id)


@blp.put("/customers/<uuid:customer_id>/consents/<purpose>/<channel>")
@require("consents:write")
@blp.arguments(ConsentChange)
@blp.response(200, Consent)
def put_consent(change: dict[str, Any], customer_id: UUID, purpose: str, channel: str) -> Decision:
    """Grant or withdraw one consent. The answer is the decision in force, which a later one may still be."""
    return actions.set_consent(customer_id, purpose, channel, change, principal().name)


@blp.post("/consents")
@require("consents:write")
@idempotent
@blp.arguments(ConsentChanges)
@blp.response(200, ConsentsRecorded)
def record_consents(body: dict[str, Any]) -> dict[str, int]:
    """Record decisions of up to 5,000 people by identifier; all or none."""
    return {"recorded": actions.record(body["consents"], principal().name)}
