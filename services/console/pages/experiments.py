"""Experiments of slots: who gets which variant, and what came of it so far."""

from typing import Any, Final

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from services.console.actions.siblings import Ask, Change, ask, ask_all, carry_out, get
from services.console.pages import slot_forms, variants
from services.console.pages.errors import page_blueprint
from services.console.pages.items import ASKED, STRATEGIES
from services.console.pages.session import page, person
from shared.problems import BadRequest, Conflict, Invalid, Problem

blp = page_blueprint("experiments", __name__)

GOALS: Final = {
    "clicks": _("People who click"),
    "orders": _("People who order"),
    "revenue": _("Revenue per person"),
}
VERDICTS: Final = {
    "winner": _("There is a winner"),
    "no_difference_yet": _("No difference is sure yet"),
    "do_not_trust": _("The comparison cannot be trusted"),
}
WHYS: Final = {
    "sample_ratio_mismatch": _("People did not fall into the variants in the intended shares; something filters them."),
    "too_early": _("It has not run for a full week yet."),
    "too_few_people": _("Too few people have seen it."),
    "inconclusive": _("What is seen may be chance."),
}
PER_ANSWER: Final = {
    "clicks": _("Items clicked per answer"),
    "orders": _("Orders per answer"),
    "revenue": _("Revenue per answer"),
}
CANNOT: Final = {
    "nothing_explored": _("No answer of these days gave a place by lot: give the slot a share for new items."),
    "too_little_support": _("That ranking shows items that were hardly ever shown here. Only an experiment can tell."),
    "too_few_drawn": _("Too few of its items were drawn by lot so far."),
    "too_few_rewards": _("Too few of its items earned anything so far."),
}
# Those that can be asked about afterwards: the item looked at and the cart are not kept.
_LOGGED: Final = ("for_you", "popular", "trending", "new_arrivals", "buy_again", "recently_viewed")
_SLOW_S: Final = 30


@blp.get("/experiments")
@page("slots:read")
def index() -> str:
    """The slots, each with the experiment that runs in it."""
    found = ask(person(), Ask("recommend", "/v1/slots"))
    return render_template("experiments/index.html", found=found, in_words=variants.in_words)


@blp.get("/experiments/<name>")
@page("slots:read")
def show(name: str) -> Response:
    """The experiments of a slot: what came of the newest, and the form to start one."""
    return _show(name)


@blp.post("/experiments/<name>")
@page("slots:write")
def start(name: str) -> Response:
    """Divide the people of a slot from now on."""
    rows = variants.typed(request.form, get(person(), Ask("recommend", f"/v1/slots/{name}")))
    try:
        _change(name, "", {"variants": variants.wanted(rows)})
    except (Invalid, BadRequest, Conflict) as problem:
        return _show(name, problem, rows)
    flash(gettext("The experiment runs. Everybody keeps the variant they are first seen with."), "done")
    return _back(name)


@blp.post("/experiments/<name>/stop")
@page("slots:write")
def stop(name: str) -> Response:
    """End the experiment; the slot is as it was, or as one of the variants for everybody."""
    variant = request.form.get("variant", "")
    if variant:
        _change(name, "/apply", {"variant": variant})
    else:
        _change(name, "/stop", {})
    flash(gettext("The experiment has ended."), "done")
    return _back(name)


def _show(name: str, problem: Problem | None = None, rows: list[dict[str, Any]] | None = None) -> Response:
    slot = get(person(), Ask("recommend", f"/v1/slots/{name}"))
    goal = request.args.get("goal", "")
    goal = goal if goal in GOALS else "clicks"
    path = f"/v1/slots/{name}/experiment"
    questions = {"result": Ask("recommend", path, {"goal": goal}), "past": Ask("recommend", f"{path}s")}
    candidate = request.args.get("candidate", "")
    if candidate in _LOGGED:
        about = {"goal": goal, "strategy": candidate}
        questions["other"] = Ask("recommend", f"/v1/slots/{name}/off-policy", about, timeout=_SLOW_S)
    answers = ask_all(person(), questions)
    html = render_template(
        "experiments/show.html",
        slot=slot,
        goal=goal,
        goals=GOALS,
        verdicts=VERDICTS,
        whys=WHYS,
        words=STRATEGIES,
        asked=[(one, STRATEGIES[one]) for one in ASKED],
        problem=problem,
        rows=rows or variants.untouched(slot),
        prefix=variants.prefix,
        differs=variants.DIFFERS,
        in_words=variants.in_words,
        most_fallbacks=slot_forms.MOST_FALLBACKS,
        empty_rows=1,
        cannot=CANNOT,
        per_answer=PER_ANSWER,
        candidate=candidate,
        candidates=[(one, STRATEGIES[one]) for one in _LOGGED],
        writable=person().may("slots:write"),
        **answers,
    )
    return make_response(html, problem.status if problem else 200)


def _change(name: str, deed: str, body: dict[str, Any]) -> None:
    carry_out(person(), Change("recommend", "POST", f"/v1/slots/{name}/experiment{deed}", json=body))


def _back(name: str) -> Response:
    return redirect(url_for("experiments.show", name=name))  # type: ignore[return-value]
