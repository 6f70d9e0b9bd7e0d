"""The catalogue: finding items, what is known of each, and whether it can be bought."""

from typing import Any
from urllib.parse import quote

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext

from services.console.actions.siblings import Ask, Change, ask, ask_all, carry_out, get
from services.console.pages.errors import page_blueprint
from services.console.pages.items import shown
from services.console.pages.session import page, person
from shared.problems import BadRequest, Invalid, Problem

blp = page_blueprint("catalogue", __name__)

_ROWS = 50
_LIKE = 8


@blp.get("/catalogue")
@page("items:read")
def index() -> str:
    """Items by a word of theirs and by category."""
    wanted = {name: request.args.get(name, "").strip() for name in ("q", "category", "cursor")}
    questions = {
        "found": Ask("recommend", "/v1/items", {"limit": _ROWS, **{key: text for key, text in wanted.items() if text}}),
        "categories": Ask("recommend", "/v1/categories"),
    }
    answers = ask_all(person(), questions)
    names = {row["category"][-1] for row in answers["categories"].items if row["category"]}
    return render_template("catalogue/index.html", wanted=wanted, names=sorted(names), **answers)


@blp.get("/catalogue/<path:item_id>")
@page("items:read")
def show(item_id: str) -> Response:
    """One item, with what is like it."""
    return _show(item_id)


@blp.post("/catalogue/<path:item_id>")
@page("items:write")
def save(item_id: str) -> Response:
    """Say whether it can be bought, at once."""
    stock = request.form.get("stock", "").strip()
    wanted: dict[str, Any] = {"available": request.form.get("available") == "yes"}
    wanted["stock"] = int(stock) if stock.lstrip("-").isdecimal() else stock or None
    try:
        carry_out(person(), Change("recommend", "PATCH", _path(item_id), json=wanted))
    except (Invalid, BadRequest) as problem:
        return _show(item_id, problem)
    flash(gettext("Saved. It counts within a second, until your shop sends the item again."), "done")
    return redirect(url_for("catalogue.show", item_id=item_id))  # type: ignore[return-value]


def _show(item_id: str, problem: Problem | None = None) -> Response:
    item = get(person(), Ask("recommend", _path(item_id)))
    like = ask(person(), Ask("recommend", f"{_path(item_id)}/similar", {"n": _LIKE}))
    html = render_template(
        "catalogue/show.html",
        item=item,
        like=like,
        items=shown(like.value["items"]) if like.ok else [],
        on_sale=item["available"] and (item["stock"] is None or item["stock"] > 0),
        problem=problem,
    )
    return make_response(html, problem.status if problem else 200)


def _path(item_id: str) -> str:
    return f"/v1/items/{quote(item_id, safe='')}"
