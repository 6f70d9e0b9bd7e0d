"""The registry of models: who serves, what each reached, and the way back to an earlier one."""

from typing import Any, Final

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from services.console.actions.siblings import Ask, Change, ask, carry_out, get
from services.console.pages.errors import page_blueprint
from services.console.pages.session import page, person
from shared.problems import Conflict

blp = page_blueprint("models", __name__)

_ROWS: Final = 20
_SURELY: Final = 1.96  # half widths of 95 % in standard errors

STATUSES: Final = {
    "serving": (_("Serving"), "good"),
    "ready": (_("Can be restored"), "info"),
    "retired": (_("Files are gone"), "plain"),
    "not_published": (_("Did not beat the champion"), "warn"),
}
PURPOSES: Final = {"next_basket": _("The next basket"), "new_items": _("Items not bought before")}
PARTS: Final = {
    "blend": _("Blend (what serves)"),
    "again": _("What is due again"),
    "ease": _("What their own things lead to, in time"),
    "collaborative": _("Factors of people and items"),
    "neighbours": _("Items like their own"),
    "kinds": _("Popular among their kinds of things"),
    "firsts": _("Newly taken by others"),
    "popular": _("Popular with all"),
}
MEASURES: Final = ("recall@10", "recall@20", "ndcg@10", "ndcg@20")


@blp.get("/models")
@page("models:read")
def index() -> str:
    """All models, newest first."""
    cursor = request.args.get("cursor")
    wanted = {"limit": _ROWS, **({"cursor": cursor} if cursor else {})}
    found = ask(person(), Ask("recommend", "/v1/models", wanted))
    rows = [{**one, "told": _told(one)} for one in found.items]
    return render_template("models/index.html", found=found, rows=rows, statuses=STATUSES, purposes=PURPOSES)


@blp.get("/models/<version>")
@page("models:read")
def show(version: str) -> str:
    """One model with all its figures."""
    model = get(person(), Ask("recommend", f"/v1/models/{version}"))
    return render_template(
        "models/show.html",
        model=model,
        told=_told(model),
        validation=_validation(model),
        statuses=STATUSES,
        purposes=PURPOSES,
        parts=PARTS,
        measures=MEASURES,
    )


@blp.post("/models/<version>/restore")
@page("models:train")
def restore(version: str) -> Response:
    """Let an earlier model serve again."""
    try:
        carry_out(person(), Change("recommend", "POST", f"/v1/models/{version}/restore", json={}))
        flash(gettext("This model serves again, until the next one is published."), "done")
    except Conflict:
        flash(gettext("The files of this model are gone."), "error")
    return redirect(url_for("models.show", version=version))  # type: ignore[return-value]


def _validation(model: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = model["manifest"].get("figures", {}).get("validation", {})
    return found


def _told(model: dict[str, Any]) -> dict[str, Any]:
    """For each purpose what the blend reached and, where there was a champion, what it has over it."""
    validation = _validation(model)
    told = {}
    for purpose in PURPOSES:
        measured = validation.get(purpose)
        if not isinstance(measured, dict) or "models" not in measured:
            continue
        over = validation.get("over_champion", {}).get(purpose)
        told[purpose] = {
            "blend": measured["models"]["blend"],
            "over": over and {**over, "half_width": _SURELY * over["standard_error"]},
        }
    return told
