"""Routes of templates."""

from typing import Any
from uuid import UUID

from services.campaign.actions import templates as actions
from services.campaign.schemas.paging import PageQuery
from services.campaign.schemas.templates import PreviewIn, PreviewOut, TemplateIn, TemplateOut, TemplatePage
from shared.auth import require
from shared.blueprint import Blueprint
from shared.idempotency import idempotent
from shared.web import check_match, set_etag

blp = Blueprint("templates", __name__, url_prefix="/v1/templates", description="What messages say")


@blp.post("")
@require("campaigns:write")
@idempotent
@blp.arguments(TemplateIn)
@blp.response(201, TemplateOut)
def post_template(fields: dict[str, Any]) -> dict[str, Any]:
    """Save a new template. Flaws are named with part and line; `warnings` are worth a look."""
    saved = actions.create_template(fields)
    set_etag(saved["version"])
    return saved


@blp.get("")
@require("campaigns:read")
@blp.arguments(PageQuery, location="query")
@blp.response(200, TemplatePage)
def list_templates(query: dict[str, Any]) -> dict[str, Any]:
    """Templates, most recently changed first."""
    return actions.list_templates(query.get("cursor"), query["limit"])


@blp.get("/<uuid:template_id>")
@require("campaigns:read")
@blp.response(200, TemplateOut)
def get_template(template_id: UUID) -> dict[str, Any]:
    """One template; its ETag is its version."""
    found = actions.get_template(template_id)
    set_etag(found["version"])
    return found


@blp.put("/<uuid:template_id>")
@require("campaigns:write")
@idempotent
@blp.arguments(TemplateIn)
@blp.response(200, TemplateOut)
def put_template(fields: dict[str, Any], template_id: UUID) -> dict[str, Any]:
    """Save a new version; campaigns that run already go on with theirs."""
    saved = actions.update_template(template_id, fields, check_match)
    set_etag(saved["version"])
    return saved


@blp.delete("/<uuid:template_id>")
@require("campaigns:write")
@blp.response(204)
def delete_template(template_id: UUID) -> None:
    """Take a template out of use, unless a campaign needs it."""
    actions.archive_template(template_id, check_match)


@blp.post("/preview")
@require("campaigns:read")
@blp.arguments(PreviewIn)
@blp.response(200, PreviewOut)
def preview_template(fields: dict[str, Any]) -> dict[str, Any]:
    """An unsaved template as a real customer would see it."""
    return actions.preview(fields)
