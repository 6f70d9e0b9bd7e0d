"""Campaigns: the list, one of them with its report, and what may be done with it."""

from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from services.console.actions.siblings import Ask, Change, ask, ask_all, carry_out, get
from services.console.pages import finding, reports
from services.console.pages.errors import page_blueprint
from services.console.pages.session import page, person
from services.console.pages.templates import shown
from shared.problems import Conflict, Forbidden, Invalid

blp = page_blueprint("campaigns", __name__)

_ROWS = 50


@blp.get("/campaigns")
@page("campaigns:read")
def index() -> str:
    """All campaigns, newest first."""
    wanted = {key: value for key in ("status", "cursor") if (value := request.args.get(key))}
    answers = ask_all(
        person(),
        {
            "found": Ask("campaign", "/v1/campaigns", {"limit": _ROWS, **wanted}),
            "segments": Ask("segmentation", "/v1/segments", {"limit": 200}),
        },
    )
    names = {one["segment_id"]: one["name"] for one in answers["segments"].items}
    return render_template("campaigns/index.html", segment_names=names, **answers)


@blp.get("/campaigns/<uuid:campaign_id>")
@page("campaigns:read")
def show(campaign_id: UUID) -> str:
    """One campaign: what it says to whom, how far it is, what it earned."""
    campaign = get(person(), Ask("campaign", f"/v1/campaigns/{campaign_id}"))
    questions = {
        "segment": Ask("segmentation", f"/v1/segments/{campaign['segment_id']}"),
        "template": Ask("campaign", f"/v1/templates/{campaign['template_id']}"),
    }
    if campaign["status"] not in ("draft", "scheduled"):
        questions["report"] = Ask("campaign", f"/v1/campaigns/{campaign_id}/report", timeout=10)
    answers = ask_all(person(), questions)
    report = answers.pop("report", None)
    return render_template(
        "campaigns/show.html",
        campaign=campaign,
        report=report if report and not (report.problem and report.problem.status == 409) else None,
        view=reports.view(report.value) if report and report.ok else None,
        **answers,
    )


@blp.get("/campaigns/<uuid:campaign_id>/recipients")
@page("campaigns:read")
def recipients(campaign_id: UUID) -> str:
    """Everybody the campaign was meant for, each with their state and the reason for it."""
    wanted = {key: value for key in ("state", "cursor") if (value := request.args.get(key))}
    campaign = get(person(), Ask("campaign", f"/v1/campaigns/{campaign_id}"))
    found = ask(person(), Ask("campaign", f"/v1/campaigns/{campaign_id}/recipients", {"limit": _ROWS, **wanted}))
    return render_template(
        "campaigns/recipients.html",
        campaign=campaign,
        found=found,
        names=finding.names(person(), found.items),
        reasons=reports.REASONS,
    )


@blp.post("/campaigns/<uuid:campaign_id>/preview")
@page("campaigns:read")
def preview(campaign_id: UUID) -> str:
    """The message as one customer would get it now: a part of the page."""
    customer = finding.one(person(), request.form.get("customer", ""))
    if customer is None:
        return render_template("campaigns/nobody.html")
    asked = Ask("campaign", f"/v1/campaigns/{campaign_id}/preview", json={"customer_id": str(customer)}, timeout=10)
    return shown(ask(person(), asked))


@blp.post("/campaigns/<uuid:campaign_id>/test")
@page("campaigns:write")
def send_test(campaign_id: UUID) -> Response:
    """Send the message to an address of one's own."""
    wanted = {"email": request.form.get("email", "").strip()}
    path = f"/v1/campaigns/{campaign_id}/test"
    try:
        carry_out(person(), Change("campaign", "POST", path, json=wanted))
        flash(gettext("The test message is on its way."), "done")
    except (Conflict, Forbidden, Invalid) as problem:
        flash(gettext("The test message was not sent: %(why)s", why=problem.detail), "error")
    return _to(campaign_id)


@blp.post("/campaigns/<uuid:campaign_id>/schedule")
@page("campaigns:start")
def schedule(campaign_id: UUID) -> Response:
    """Start the campaign, now or at its time."""
    return _do(campaign_id, "schedule", gettext("The campaign is scheduled."))


@blp.post("/campaigns/<uuid:campaign_id>/resume")
@page("campaigns:start")
def resume(campaign_id: UUID) -> Response:
    """Go on with a paused campaign."""
    return _do(campaign_id, "resume", gettext("The campaign is resumed."))


@blp.post("/campaigns/<uuid:campaign_id>/pause")
@page("campaigns:stop")
def pause(campaign_id: UUID) -> Response:
    """Hold the campaign."""
    return _do(
        campaign_id, "pause", gettext("The campaign is paused. Messages being handed over right now still leave.")
    )


@blp.post("/campaigns/<uuid:campaign_id>/cancel")
@page("campaigns:stop")
def cancel(campaign_id: UUID) -> Response:
    """End the campaign for good."""
    return _do(campaign_id, "cancel", gettext("The campaign is cancelled."))


@blp.post("/campaigns/<uuid:campaign_id>/delete")
@page("campaigns:write")
def delete(campaign_id: UUID) -> Response:
    """Remove a draft."""
    path = f"/v1/campaigns/{campaign_id}"
    carry_out(person(), Change("campaign", "DELETE", path))
    flash(gettext("The draft is deleted."), "done")
    return redirect(url_for("campaigns.index"))  # type: ignore[return-value]


def _do(campaign_id: UUID, verb: str, said: str) -> Response:
    path = f"/v1/campaigns/{campaign_id}/{verb}"
    try:
        carry_out(person(), Change("campaign", "POST", path, json={}))
        flash(said, "done")
    except Conflict as problem:
        flash(str(reports.CONFLICTS.get(problem.code, problem.detail)), "error")
    return _to(campaign_id)


def _to(campaign_id: UUID) -> Response:
    return redirect(url_for("campaigns.show", campaign_id=campaign_id))  # type: ignore[return-value]
