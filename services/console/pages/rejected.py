"""Events that were set aside because something is wrong with them, and another try."""

import json
from typing import Any, Final
from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from services.console.actions.siblings import Ask, Change, ask, carry_out
from services.console.pages.errors import page_blueprint
from services.console.pages.rejections import in_words
from services.console.pages.session import page, person
from shared.problems import Conflict, Invalid

blp = page_blueprint("rejected", __name__)

_ROWS: Final = 50


@blp.get("/rejected")
@page("events:read")
def index() -> str:
    """The events set aside, newest first."""
    wanted: dict[str, Any] = {"limit": _ROWS}
    if request.args.get("cursor"):
        wanted["cursor"] = request.args["cursor"]
    found = ask(person(), Ask("profile", "/v1/rejected-events", wanted))
    return render_template("rejected.html", found=found, in_words=in_words)


@blp.post("/rejected/<uuid:rejected_id>/replay")
@page("events:replay")
def replay(rejected_id: UUID) -> Response:
    """Try an event again, as it was or put right."""
    typed = request.form.get("event", "").strip()
    try:
        body = {"event": json.loads(typed)} if typed else {}
        path = f"/v1/rejected-events/{rejected_id}/replay"
        carry_out(person(), Change("profile", "POST", path, json=body))
        flash(gettext("The event is accepted."), "done")
    except json.JSONDecodeError:
        flash(gettext("The corrected event is not valid JSON."), "error")
    except (Conflict, Invalid) as problem:
        flash(gettext("It was rejected again: %(why)s", why=in_words(problem.detail)), "error")
    return redirect(url_for("rejected.index"))  # type: ignore[return-value]
