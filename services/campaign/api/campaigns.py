"""Routes of campaigns."""

from typing import Any
from uuid import UUID

from services.campaign.actions import campaigns as actions
from services.campaign.actions import reports
from services.campaign.schemas.campaigns import (
    CampaignIn,
    CampaignOut,
    CampaignPage,
    CampaignsQuery,
    CustomerIn,
    RecipientPage,
    RecipientsQuery,
    ReportQuery,
    ScheduleIn,
    TestIn,
    TestOut,
)
from services.campaign.schemas.reports import ReportOut
from services.campaign.schemas.templates import PreviewOut
from shared.auth import principal, require
from shared.blueprint import Blueprint
from shared.idempotency import idempotent
from shared.web import check_match, set_etag

blp = Blueprint("campaigns", __name__, url_prefix="/v1/campaigns", description="Who gets what, and what came of it")


@blp.post("")
@require("campaigns:write")
@idempotent
@blp.arguments(CampaignIn)
@blp.response(201, CampaignOut)
def post_campaign(fields: dict[str, Any]) -> dict[str, Any]:
    """Draft a campaign: a message to a segment, once."""
    return _tagged(actions.create_campaign(fields, principal().name))


@blp.get("")
@require("campaigns:read")
@blp.arguments(CampaignsQuery, location="query")
@blp.response(200, CampaignPage)
def list_campaigns(query: dict[str, Any]) -> dict[str, Any]:
    """Campaigns, newest first."""
    return actions.list_campaigns(query["status"], query.get("cursor"), query["limit"])


@blp.get("/<uuid:campaign_id>")
@require("campaigns:read")
@blp.response(200, CampaignOut)
def get_campaign(campaign_id: UUID) -> dict[str, Any]:
    """One campaign, with the number of recipients in each state."""
    return _tagged(actions.get_campaign(campaign_id))


@blp.put("/<uuid:campaign_id>")
@require("campaigns:write")
@idempotent
@blp.arguments(CampaignIn)
@blp.response(200, CampaignOut)
def put_campaign(fields: dict[str, Any], campaign_id: UUID) -> dict[str, Any]:
    """Change a campaign that has not begun."""
    return _tagged(actions.update_campaign(campaign_id, fields, check_match))


@blp.delete("/<uuid:campaign_id>")
@require("campaigns:write")
@blp.response(204)
def delete_campaign(campaign_id: UUID) -> None:
    """Remove a draft."""
    actions.delete_campaign(campaign_id, check_match)


@blp.post("/<uuid:campaign_id>/schedule")
@require("campaigns:send")
@idempotent
@blp.arguments(ScheduleIn)
@blp.response(200, CampaignOut)
def schedule_campaign(when: dict[str, Any], campaign_id: UUID) -> dict[str, Any]:
    """Have it start at its time, or now."""
    given = when if any(value is not None for value in when.values()) else {}
    return _tagged(actions.schedule(campaign_id, given))


@blp.post("/<uuid:campaign_id>/pause")
@require("campaigns:send")
@blp.response(200, CampaignOut)
def pause_campaign(campaign_id: UUID) -> dict[str, Any]:
    """Hold it: nothing leaves after the windows that are leaving now."""
    return _tagged(actions.pause(campaign_id))


@blp.post("/<uuid:campaign_id>/resume")
@require("campaigns:send")
@blp.response(200, CampaignOut)
def resume_campaign(campaign_id: UUID) -> dict[str, Any]:
    """Go on."""
    return _tagged(actions.resume(campaign_id))


@blp.post("/<uuid:campaign_id>/cancel")
@require("campaigns:send")
@blp.response(200, CampaignOut)
def cancel_campaign(campaign_id: UUID) -> dict[str, Any]:
    """Stop it for good."""
    return _tagged(actions.cancel(campaign_id))


@blp.post("/<uuid:campaign_id>/preview")
@require("campaigns:read")
@blp.arguments(CustomerIn)
@blp.response(200, PreviewOut)
def preview_campaign(fields: dict[str, Any], campaign_id: UUID) -> dict[str, Any]:
    """The message a real customer would get now."""
    return actions.preview(campaign_id, fields["customer_id"])


@blp.post("/<uuid:campaign_id>/test")
@require("campaigns:send")
@blp.arguments(TestIn)
@blp.response(200, TestOut)
def test_campaign(fields: dict[str, Any], campaign_id: UUID) -> dict[str, Any]:
    """Send it to an address of one's own; obeys the switch and the allow-list."""
    return actions.send_test(campaign_id, fields["email"], fields["customer_id"])


@blp.get("/<uuid:campaign_id>/recipients")
@require("campaigns:read")
@blp.arguments(RecipientsQuery, location="query")
@blp.response(200, RecipientPage)
def list_recipients(query: dict[str, Any], campaign_id: UUID) -> dict[str, Any]:
    """Everybody in it, each in a state with a reason."""
    return actions.recipients(campaign_id, query["state"], query.get("cursor"), query["limit"])


@blp.get("/<uuid:campaign_id>/report")
@require("campaigns:read")
@blp.arguments(ReportQuery, location="query")
@blp.response(200, ReportOut)
def get_report(query: dict[str, Any], campaign_id: UUID) -> dict[str, Any]:
    """What came of it: engagement, purchases, lift over those held out, and whether to believe it."""
    return reports.report(campaign_id, query["window_days"])


def _tagged(campaign: dict[str, Any]) -> dict[str, Any]:
    set_etag(campaign["version"])
    return campaign
