"""The audit log."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from flask import Response, render_template, request, url_for
from flask_babel import gettext

from services.console.actions import audit as actions
from services.console.pages.deeds import ACTIONS, FIELDS, SUBJECTS
from services.console.pages.errors import page_blueprint
from services.console.pages.formats import NOTHING, when
from services.console.pages.session import page, person
from services.console.store.audit import Filter
from shared.audit import KEPT_DAYS
from shared.shop import shop

blp = page_blueprint("audit", __name__)

_ROWS: Final = 50
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$")
_PAGES: Final = {
    "segment": ("segments.show", "segment_id"),
    "campaign": ("campaigns.show", "campaign_id"),
    "template": ("templates.edit", "template_id"),
    "customer": ("customers.show", "customer_id"),
}


@blp.get("/audit")
@page("audit:read")
def index() -> str:
    """Who changed what, from the newest on; of one person, kind of change, thing or time where that is asked for."""
    before, asked = request.args.get("before", type=UUID), _asked()
    entries = actions.read(_filter(asked), before, _ROWS)
    return render_template(
        "audit.html",
        entries=entries,
        older=url_for("audit.index", **asked, before=entries[-1].entry_id) if len(entries) == _ROWS else None,
        newest=url_for("audit.index", **asked) if before else None,
        asked=asked,
        actors=actions.actors(),
        actions=ACTIONS,
        fields=FIELDS,
        subjects=SUBJECTS,
        address=_address,
        shown=_shown,
        years=KEPT_DAYS // 365,
    )


@blp.get("/audit.csv")
@page("audit:export")
def export() -> Response:
    """The same, as a table to keep or to give to an auditor."""
    name = f"audit-{datetime.now(UTC):%Y-%m-%d}.csv"
    return Response(
        actions.export(_filter(_asked()), person().actor),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _shown(value: Any) -> str:
    """A value of a change as people read it; instants in the shop's time zone, rules as they were written."""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if value is None or value in ("", [], {}):
        return NOTHING
    if isinstance(value, str) and _INSTANT.match(value):
        return when(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _asked() -> dict[str, Any]:
    names = ("actor", "action", "subject", "subject_id", "since", "until")
    return {name: value for name in names if (value := request.args.get(name, "").strip()[:200].replace("\0", ""))}


def _filter(asked: dict[str, Any]) -> Filter:
    until = _midnight(asked.get("until"))
    return Filter(
        asked.get("actor"),
        asked.get("action"),
        asked.get("subject"),
        asked.get("subject_id"),
        _midnight(asked.get("since")),
        until + timedelta(days=1) if until else None,
    )


def _midnight(day: str | None) -> datetime | None:
    """The beginning of a day in the shop's time zone; None for what is no day."""
    try:
        return datetime.strptime(day or "", "%Y-%m-%d").replace(tzinfo=ZoneInfo(shop().time_zone))
    except ValueError:
        return None


def _address(entry: Any) -> str | None:
    """The page of what was changed, where it has one and has not been removed by this very change."""
    endpoint, argument = _PAGES.get(entry.subject_kind, ("", ""))
    if not endpoint or entry.action.endswith(".delete"):
        return None
    try:
        place: dict[str, Any] = {argument: UUID(entry.subject_id)}
    except ValueError:
        return None
    return url_for(endpoint, **place)
