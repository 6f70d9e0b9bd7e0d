"""Trying out recommendations for anybody, and the models behind them."""

from typing import Any
from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from services.console.actions.siblings import Answer, Ask, Change, ask, ask_all, carry_out
from services.console.pages import finding
from services.console.pages.errors import page_blueprint
from services.console.pages.items import ASKED, SHORTFALLS, STRATEGIES, in_words, shown
from services.console.pages.session import page, person

blp = page_blueprint("recommendations", __name__)

_COUNTS = (5, 10, 20, 50)


@blp.get("/recommendations")
@page("recommendations:read")
def show() -> str:
    """The form, the answer for whoever was asked for, and the state of the models."""
    typed = request.args.get("customer", "").strip()
    asked = "customer" in request.args
    customer = finding.one(person(), typed) if typed else None
    questions = {"slots": Ask("recommend", "/v1/slots")}
    if asked and (customer or not typed):
        questions["answer"] = _question(customer)
    answers = ask_all(person(), questions)
    found = answers.get("answer")
    return render_template(
        "recommendations/show.html",
        typed=typed,
        customer=customer,
        nobody=bool(typed) and customer is None,
        answer=found,
        items=shown(found.value["items"]) if found and found.ok else [],
        in_words=in_words,
        shortfalls=SHORTFALLS,
        counts=_COUNTS,
        asked=[(one, STRATEGIES[one]) for one in ASKED],
        slots=answers["slots"],
    )


@blp.get("/recommendations/of/<uuid:customer_id>")
@page("recommendations:read")
def of_customer(customer_id: UUID) -> str:
    """What one customer would be shown: a part of the customer's page."""
    found = for_customer(customer_id)
    return render_template(
        "recommendations/part.html",
        answer=found,
        items=shown(found.value["items"]) if found.ok else [],
        in_words=in_words,
        shortfalls=SHORTFALLS,
    )


@blp.post("/recommendations/train")
@page("models:train")
def train() -> Response:
    """Ask for a new model."""
    carry_out(person(), Change("recommend", "POST", "/v1/models", json={}))
    flash(gettext("Training is requested. The new model takes over by itself when it is ready."), "done")
    return redirect(url_for("models.index"))  # type: ignore[return-value]


def for_customer(customer_id: UUID, n: int = 8) -> Answer:
    """What this customer would be shown now."""
    return ask(person(), Ask("recommend", "/v1/recommendations", json={"customer_id": str(customer_id), "n": n}))


def _question(customer: UUID | None) -> Ask:
    typed = {name: request.args.get(name, "").strip() for name in ("slot", "strategy", "where", "category", "item")}
    wanted: dict[str, Any] = {name: typed[name] for name in ("slot", "strategy", "where") if typed[name]}
    if request.args.get("n", type=int):
        wanted["n"] = min(request.args.get("n", 10, type=int), _COUNTS[-1])
    if customer:
        wanted["customer_id"] = str(customer)
    if request.args.get("seen") == "yes":
        wanted["exclude_seen"] = False
    if typed["category"]:
        wanted["filter"] = {"category": typed["category"]}
    cart = [one.strip() for one in request.args.get("cart", "").split(",") if one.strip()]
    wanted["context"] = {**({"item_id": typed["item"]} if typed["item"] else {}), **({"cart": cart} if cart else {})}
    return Ask("recommend", "/v1/recommendations", json=wanted)
