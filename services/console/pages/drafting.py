"""Drafting a campaign in three steps: whom, what they get, how it is compared and when it starts."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext

from services.console.actions.siblings import Answer, Ask, Change, ask, ask_all, carry_out, get
from services.console.pages import finding, templates
from services.console.pages.errors import page_blueprint
from services.console.pages.labels import PURPOSES
from services.console.pages.language import chosen
from services.console.pages.session import page, person
from services.console.pages.starters import STARTERS
from shared.problems import BadRequest, Conflict, Invalid, PreconditionFailed, Problem
from shared.shop import shop

blp = page_blueprint("drafting", __name__)

# What a campaign is made of; PUT takes all of it.
_FIELDS: Final = (
    *("name", "segment_id", "template_id", "purpose", "holdout_share", "assignment_salt", "recommend_n"),
    *("recommend_slot", "recommend_filter", "attribution_days", "replay", "send_at", "send_at_local", "send_at_zone"),
)
_WRONG: Final = (Invalid, BadRequest, Conflict)


@blp.get("/campaigns/new")
@page("campaigns:write")
def new() -> Response:
    """The first step of a new campaign."""
    return _whom({"segment_id": request.args.get("segment_id", ""), "template_id": "", "name": "", "purpose": ""})


@blp.post("/campaigns/new")
@page("campaigns:write")
def create() -> Response:
    """Keep the draft, with a template of its own where none was chosen."""
    fields = {key: request.form.get(key, "").strip() for key in ("name", "segment_id", "template_id", "purpose")}
    try:
        made = carry_out(
            person(),
            Change(
                "campaign",
                "POST",
                "/v1/campaigns",
                json={
                    **fields,
                    "template_id": fields["template_id"] or _own_template(fields["name"]),
                    "recommend_n": 4,
                },
            ),
        )
    except _WRONG as problem:
        return _whom(fields, problem=problem)
    return _step("message", made["campaign_id"])


@blp.get("/campaigns/<uuid:campaign_id>/whom")
@page("campaigns:write")
def whom(campaign_id: UUID) -> Response:
    """The first step of a draft that is there."""
    return _whom(_campaign(campaign_id), campaign_id)


@blp.post("/campaigns/<uuid:campaign_id>/whom")
@page("campaigns:write")
def save_whom(campaign_id: UUID) -> Response:
    """Change whom it is for."""
    fields = {key: request.form.get(key, "").strip() for key in ("name", "segment_id", "purpose")}
    present = _campaign(campaign_id)
    try:
        _save(present, {**fields, "template_id": request.form.get("template_id") or present["template_id"]})
    except PreconditionFailed:
        return _changed_meanwhile("whom", campaign_id)
    except _WRONG as problem:
        return _whom({**present, **fields}, campaign_id, problem)
    return _step("message", campaign_id)


@blp.get("/campaigns/<uuid:campaign_id>/message")
@page("campaigns:write")
def message(campaign_id: UUID) -> Response:
    """The second step: the message, as a real customer of the segment gets it."""
    campaign = _campaign(campaign_id)
    return _message(campaign, get(person(), Ask("campaign", f"/v1/templates/{campaign['template_id']}")))


@blp.post("/campaigns/<uuid:campaign_id>/message")
@page("campaigns:write")
def save_message(campaign_id: UUID) -> Response:
    """Keep the message as a new version of its template."""
    campaign = _campaign(campaign_id)
    fields = templates.typed()
    version = request.form.get("template_version", "")
    try:
        templates.save(UUID(campaign["template_id"]), fields, version)
        chosen_items = {
            "recommend_n": request.form.get("recommend_n", campaign["recommend_n"], type=int),
            "recommend_slot": request.form.get("recommend_slot") or None,
        }
        if any(campaign[name] != value for name, value in chosen_items.items()):
            _save(campaign, chosen_items)
    except PreconditionFailed:
        return _changed_meanwhile("message", campaign_id)
    except _WRONG as problem:
        return _message(campaign, {**fields, "version": version}, problem)
    return _step("comparison", campaign_id)


@blp.get("/campaigns/<uuid:campaign_id>/comparison")
@page("campaigns:write")
def comparison(campaign_id: UUID) -> Response:
    """The third step: who is held out to compare with, and when it starts."""
    return _comparison(_campaign(campaign_id))


@blp.post("/campaigns/<uuid:campaign_id>/comparison")
@page("campaigns:write")
def save_comparison(campaign_id: UUID) -> Response:
    """Keep it; what is left is to start it."""
    present = _campaign(campaign_id)
    try:
        _save(present, _comparison_fields())
    except PreconditionFailed:
        return _changed_meanwhile("comparison", campaign_id)
    except (*_WRONG, ValueError) as problem:
        found = problem if isinstance(problem, Problem) else Invalid(gettext("This is not a day and a time."))
        return _comparison({**present, "holdout_percent": request.form.get("holdout_percent", "")}, found)
    flash(gettext("The draft is saved. Review it and start it."), "done")
    return redirect(url_for("campaigns.show", campaign_id=campaign_id))  # type: ignore[return-value]


def _campaign(campaign_id: UUID) -> dict[str, Any]:
    found: dict[str, Any] = get(person(), Ask("campaign", f"/v1/campaigns/{campaign_id}"))
    return found


def _save(present: dict[str, Any], changes: dict[str, Any]) -> None:
    """Change a draft, unless somebody else did since the form was read."""
    campaign_id = present["campaign_id"]
    version = request.form.get("version", present["version"])
    carry_out(
        person(),
        Change(
            "campaign",
            "PUT",
            f"/v1/campaigns/{campaign_id}",
            json={**{name: present[name] for name in _FIELDS}, **changes},
            version=f'"{version}"',
        ),
    )


def _own_template(name: str) -> str:
    """A template for this campaign alone, from the starter. Raises the problem of the campaign service."""
    fields = {**STARTERS[chosen()], "name": name or gettext("New campaign"), "text": None}
    change = Change("campaign", "POST", "/v1/templates", json=fields)
    return str(carry_out(person(), change)["template_id"])


def _comparison_fields() -> dict[str, Any]:
    share = request.form.get("holdout_percent", type=float) or 0.0
    at = request.form.get("send_at", "").strip() if request.form.get("start") == "later" else ""
    zone = ZoneInfo(shop().time_zone)
    return {
        "holdout_share": round(share / 100, 6),
        "attribution_days": request.form.get("attribution_days", type=int) or 28,
        "send_at": datetime.fromisoformat(at).replace(tzinfo=zone).isoformat() if at else None,
        "send_at_local": None,
        "send_at_zone": None,
    }


def _whom(fields: dict[str, Any], campaign_id: UUID | None = None, problem: Problem | None = None) -> Response:
    answers = ask_all(
        person(),
        {
            "segments": Ask("segmentation", "/v1/segments", {"limit": 200}),
            "templates": Ask("campaign", "/v1/templates", {"limit": 200}),
        },
    )
    return _page("whom", fields, campaign_id, problem, purposes=PURPOSES, **answers)


def _message(campaign: dict[str, Any], template: dict[str, Any], problem: Problem | None = None) -> Response:
    path = f"/v1/segments/{campaign['segment_id']}/customers"
    answers = ask_all(
        person(), {"members": Ask("segmentation", path, {"limit": 10}), "slots": Ask("recommend", "/v1/slots")}
    )
    members: Answer = answers["members"]
    people = finding.names(person(), members.items)
    samples = [(one["customer_id"], people.get(one["customer_id"], {}).get("name")) for one in members.items]
    parts = {"template": template, "samples": samples, "slots": answers["slots"].items}
    return _page("message", campaign, UUID(campaign["campaign_id"]), problem, **parts)


def _comparison(campaign: dict[str, Any], problem: Problem | None = None) -> Response:
    segment = ask(person(), Ask("segmentation", f"/v1/segments/{campaign['segment_id']}"))
    at = campaign.get("send_at")
    local = datetime.fromisoformat(at).astimezone(ZoneInfo(shop().time_zone)).strftime("%Y-%m-%dT%H:%M") if at else ""
    return _page("comparison", campaign, UUID(campaign["campaign_id"]), problem, segment=segment, send_at=local)


def _page(
    step: str, campaign: dict[str, Any], campaign_id: UUID | None, problem: Problem | None, **parts: Any
) -> Response:
    html = render_template(
        f"campaigns/{step}.html", step=step, campaign=campaign, campaign_id=campaign_id, problem=problem, **parts
    )
    return make_response(html, problem.status if problem else 200)


def _step(name: str, campaign_id: object) -> Response:
    return redirect(url_for(f"drafting.{name}", campaign_id=campaign_id))  # type: ignore[return-value]


def _changed_meanwhile(step: str, campaign_id: UUID) -> Response:
    flash(gettext("Somebody else changed this meanwhile. Look at theirs, then repeat yours."), "error")
    return _step(step, campaign_id)
