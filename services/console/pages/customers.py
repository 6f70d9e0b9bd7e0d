"""Customers: finding them, the list, and everything that is known of one."""

from typing import Any, Final
from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from services.console.actions.siblings import Answer, Ask, Change, ask, ask_all, carry_out
from services.console.pages import finding, timeline
from services.console.pages.errors import page_blueprint
from services.console.pages.items import SHORTFALLS, in_words, shown
from services.console.pages.labels import (
    CHANNELS,
    CONSENT_PURPOSES,
    IDENTITY_KINDS,
    LIFECYCLE,
    LIFECYCLE_HINTS,
    OUTCOMES,
    RFM,
)
from services.console.pages.session import page, person
from shared.problems import NotFound

blp = page_blueprint("customers", __name__)

_ROWS: Final = 25
_EVENTS: Final = 40
_SHOWN: Final = frozenset({"name", "email", "phone", "city", "country", "locale"})


@blp.get("/customers")
@page("customers:read")
def search() -> str | Response:
    """Whoever was looked for; else the list, of one lifecycle stage or RFM group if that is given."""
    typed = request.args.get("q", "").strip()
    if typed:
        return _found(typed)
    group = {key: value for key in ("lifecycle", "rfm_cell") if (value := request.args.get(key))}
    cursor = {"cursor": request.args["cursor"]} if request.args.get("cursor") else {}
    source = ("segmentation", "/v1/insights/customers") if group else ("profile", "/v1/customers")
    listed = ask(person(), Ask(*source, {"limit": _ROWS, **group, **cursor}))
    people = finding.names(person(), listed.items) if group else {}
    return render_template(
        "customers/index.html",
        typed="",
        listed=listed,
        rows=[{**row, **people.get(row["customer_id"], {})} for row in listed.items],
        failed=None,
        group=group,
        lifecycle=LIFECYCLE,
        rfm=RFM,
        next_cursor=listed.value["next_cursor"] if listed.ok else None,
    )


@blp.get("/customers/<uuid:customer_id>")
@page("customers:read")
def show(customer_id: UUID) -> str:
    """One customer: who, what they did, where they stand, what to recommend, what was sent."""
    root = f"/v1/customers/{customer_id}"
    answers = ask_all(
        person(),
        {
            "customer": Ask("profile", root),
            "events": Ask("profile", f"{root}/events", {"limit": _EVENTS}),
            "merges": Ask("profile", "/v1/merges", {"customer_id": str(customer_id)}),
            "insights": Ask("segmentation", f"/v1/insights/customers/{customer_id}"),
            "answer": Ask("recommend", "/v1/recommendations", json={"customer_id": str(customer_id), "n": 8}),
            "messages": Ask("campaign", "/v1/messages", {"customer_id": str(customer_id), "limit": 20}),
        },
    )
    if answers["customer"].missing:
        raise NotFound(gettext("There is no customer with this id."))
    found = answers["answer"]
    return render_template(
        "customers/show.html",
        customer_id=customer_id,
        days=timeline.by_day(answers["events"].items),
        older=answers["events"].value.get("next_cursor") if answers["events"].ok else None,
        items=shown(found.value["items"]) if found.ok else [],
        scores=_scores(answers["insights"]),
        values=_values(answers["customer"]),
        other_traits=_other_traits(answers["customer"]),
        in_words=in_words,
        shortfalls=SHORTFALLS,
        channels=CHANNELS,
        consent_purposes=CONSENT_PURPOSES,
        identity_kinds=IDENTITY_KINDS,
        outcomes=OUTCOMES,
        lifecycle_hints=LIFECYCLE_HINTS,
        **answers,
    )


@blp.get("/customers/<uuid:customer_id>/events")
@page("customers:read")
def events(customer_id: UUID) -> str:
    """Older events: a part of the timeline."""
    wanted = {"limit": _EVENTS, "cursor": request.args.get("cursor", "")}
    found = ask(person(), Ask("profile", f"/v1/customers/{customer_id}/events", wanted))
    return render_template(
        "customers/events.html",
        customer_id=customer_id,
        events=found,
        days=timeline.by_day(found.items),
        older=found.value.get("next_cursor") if found.ok else None,
    )


@blp.post("/customers/<uuid:customer_id>/merges/<uuid:merge_id>/undo")
@page("customers:write")
def undo_merge(customer_id: UUID, merge_id: UUID) -> Response:
    """Take two people apart again who were taken for one."""
    path = f"/v1/merges/{merge_id}/undo"
    carry_out(person(), Change("profile", "POST", path, json={}))
    flash(gettext("The merge is undone. Every service follows within seconds."), "done")
    return _to(customer_id)


@blp.post("/customers/<uuid:customer_id>/consents/<purpose>/<channel>")
@page("consents:write")
def set_consent(customer_id: UUID, purpose: str, channel: str) -> Response:
    """Note what a customer has told us about being written to."""
    wanted = {"granted": request.form.get("granted") == "yes", "source": "console"}
    path = f"/v1/customers/{customer_id}/consents/{purpose}/{channel}"
    carry_out(person(), Change("profile", "PUT", path, json=wanted))
    flash(gettext("The consent is noted."), "done")
    return _to(customer_id)


def _found(typed: str) -> str | Response:
    rows, failed = finding.find(person(), typed)
    if len(rows) == 1 and failed is None:
        return redirect(url_for("customers.show", customer_id=rows[0]["customer_id"]))  # type: ignore[return-value]
    return render_template(
        "customers/index.html",
        typed=typed,
        listed=None,
        rows=rows,
        failed=failed,
        group={},
        lifecycle=LIFECYCLE,
        rfm=RFM,
        next_cursor=None,
    )


def _scores(insights: Answer) -> dict[str, Any]:
    return {score["score"]: score for score in insights.value["scores"]} if insights.ok else {}


def _values(customer: Answer) -> dict[str, str]:
    """What the identities are, by id, for the list of merges."""
    return {one["identity_id"]: one["value"] for one in customer.value["identities"]} if customer.ok else {}


def _other_traits(customer: Answer) -> dict[str, Any]:
    """The traits that are not shown by name above."""
    traits = customer.value["traits"] if customer.ok else {}
    return {name: value for name, value in traits.items() if name not in _SHOWN}


def _to(customer_id: UUID) -> Response:
    return redirect(url_for("customers.show", customer_id=customer_id))  # type: ignore[return-value]
