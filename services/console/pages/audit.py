"""The audit log."""

from uuid import UUID

from flask import render_template, request

from services.console.actions import audit as actions
from services.console.pages.errors import page_blueprint
from services.console.pages.labels import ACTIONS
from services.console.pages.session import page

blp = page_blueprint("audit", __name__)

_ROWS = 50


@blp.get("/audit")
@page("audit:read")
def index() -> str:
    """Who changed what, from the newest on."""
    before = request.args.get("before", type=UUID)
    entries = actions.read(before, None, _ROWS)
    older = entries[-1].entry_id if len(entries) == _ROWS else None
    return render_template("audit.html", entries=entries, older=older, first=before is None, actions=ACTIONS)
