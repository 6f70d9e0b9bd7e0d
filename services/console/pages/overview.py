"""The first page: how the shop stands."""

from datetime import date
from typing import Any, Final

from babel.dates import format_skeleton
from flask import Response, flash, redirect, render_template, url_for
from flask_babel import get_locale, gettext

from services.console.actions.siblings import Answer, Ask, Change, ask_all, carry_out
from services.console.pages.errors import page_blueprint
from services.console.pages.formats import money, number, to_major
from services.console.pages.labels import LIFECYCLE, LIFECYCLE_HINTS, RFM
from services.console.pages.session import page, person

blp = page_blueprint("overview", __name__)

_QUESTIONS: Final = {
    "insights": Ask("segmentation", "/v1/insights/overview"),
    "segments": Ask("segmentation", "/v1/segments", {"limit": 100}),
    "computed": Ask("segmentation", "/v1/recompute"),
    "campaigns": Ask("campaign", "/v1/campaigns", {"limit": 5}),
    "log": Ask("profile", "/v1/log"),
    "models": Ask("recommend", "/v1/models", {"limit": 1}),
}


@blp.get("/")
@page("overview:read")
def show() -> str:
    """Customers, money by week, lifecycle, RFM groups, segments, campaigns, how fresh it all is."""
    answers = ask_all(person(), _QUESTIONS)
    found = answers["insights"]
    segments = sorted(answers["segments"].items, key=lambda one: -(one["size"] or 0))[:6]
    return render_template(
        "overview.html",
        biggest=segments,
        weeks=_weeks(found) if found.ok else None,
        lifecycle=_groups(found, "lifecycle", LIFECYCLE) if found.ok else None,
        cells=_groups(found, "rfm_cells", RFM) if found.ok else None,
        lifecycle_hints=LIFECYCLE_HINTS,
        total=next(iter(found.value["totals"]), None) if found.ok else None,
        **answers,
    )


@blp.post("/compute")
@page("scores:compute")
def compute() -> Response:
    """Have everybody's features, scores and memberships computed anew."""
    change = Change("segmentation", "POST", "/v1/recompute", json={})
    carry_out(person(), change)
    flash(gettext("Everybody's scores are being computed anew."), "done")
    return redirect(url_for("overview.show"))  # type: ignore[return-value]


def _weeks(found: Answer) -> dict[str, Any]:
    """Revenue as bars and orders as a line, a point a week; the week that is not over yet is left out."""
    currency = found.value["currency"]
    rows = [row for row in found.value["weeks"] if row["gross_minor"] is not None]
    starts = [date.fromisoformat(row["week"][:10]) for row in rows]
    return {
        "labels": [format_skeleton("MMMd", start, locale=get_locale()) for start in starts],
        "full": [format_skeleton("yMMMd", start, locale=get_locale()) for start in starts],
        "bars": {
            "name": gettext("Revenue (%(currency)s)", currency=currency),
            "values": [float(to_major(row["gross_minor"], currency)) for row in rows],
            "shown": [money(row["gross_minor"], currency) for row in rows],
        },
        "line": {
            "name": gettext("Orders"),
            "values": [row["orders"] for row in rows],
            "shown": [number(row["orders"]) for row in rows],
        },
    }


def _groups(found: Answer, name: str, names: dict[str, Any]) -> dict[str, Any]:
    """How many customers are in each group, in the order of `names`, with what they have spent."""
    rows = {row["name"]: row for row in found.value[name]}
    known = [key for key in names if key in rows]
    currency = found.value["currency"]
    return {
        "keys": known,
        "labels": [str(names[key]) for key in known],
        "values": [rows[key]["customers"] for key in known],
        "shown": [number(rows[key]["customers"]) for key in known],
        "money": [money(rows[key]["net_spend_minor"].get(currency, 0), currency) for key in known],
    }
