"""Whom to offer an item or a category: ranked customers, what to expect of them, and what to do with the result."""

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import get_locale, gettext

from services.console.actions import audiences as actions
from services.console.actions import tables
from services.console.actions.siblings import SLOW_S, Answer, Ask, Change, ask, ask_all, carry_out
from services.console.pages import finding
from services.console.pages.errors import page_blueprint
from services.console.pages.formats import day, number
from services.console.pages.session import page, person
from shared.problems import BadRequest, Conflict, Forbidden, Invalid, Problem
from shared.shop import business_now

blp = page_blueprint("audiences", __name__)

SHOWN: Final = 25
MOST: Final = 10_000
_FOUND: Final = 12
_CONTACTS: Final = {"": [], "email": ["email"], "phone": ["phone"], "any": ["email", "phone"]}
# Fields of the form with a whole number: the member of the request, and what stands there first.
_NUMBERS: Final = {
    "limit": ("limit", "1000"),
    "horizon": ("horizon_days", "28"),
    "bought": ("exclude_bought_within_days", ""),
}
_TYPED: Final = ("item", "category", "contact", "country", "segment", "percent", *_NUMBERS)


@blp.get("/audiences")
@page("audiences:read")
def index() -> str:
    """Choose what is offered, and see for whom."""
    typed = _typed()
    text = request.args.get("q", "").strip()
    questions = {"segments": Ask("segmentation", "/v1/segments", {"limit": 200})}
    if text:
        questions["items"] = Ask("recommend", "/v1/items", {"q": text, "limit": _FOUND})
        questions["categories"] = Ask("recommend", "/v1/categories")
    answers = ask_all(person(), questions)
    return render_template(
        "audiences/index.html",
        typed=typed,
        asked={name: value for name, value in typed.items() if value},
        text=text,
        name=_name(typed),
        chosen=bool(typed["item"] or typed["category"]),
        categories=_matching(answers["categories"], text) if text else [],
        found=answers.get("items"),
        segments=answers["segments"],
        most=MOST,
    )


@blp.get("/audiences/result")
@page("audiences:read")
def result() -> str:
    """The customers: a part of the page, which comes when it is computed."""
    typed = _typed()
    found = _computed(typed)
    rows = found.value["customers"][:SHOWN] if found.ok else []
    return render_template(
        "audiences/result.html",
        found=found,
        rows=rows,
        names=finding.names(person(), rows),
        words=_words(found.value) if found.ok else {},
        times=_times(found.value) if found.ok else None,
        curve=_curve(found.value) if found.ok else None,
        asked={name: value for name, value in typed.items() if value},
        title=gettext("For %(name)s, %(day)s", name=_name(typed), day=day(business_now()))[:100],
    )


@blp.get("/audiences.csv")
@page("audiences:read")
def export() -> Response:
    """All customers of the audience as a table, without their addresses."""
    typed = _typed()
    found = _computed(typed)
    if found.problem:
        raise found.problem
    rows = found.value["customers"]
    told = {name: value for name, value in typed.items() if value}
    actions.record_export(typed["item"] or "category", {**told, "customers": len(rows)}, person().actor)
    return Response(
        "".join(_table(found.value, finding.names(person(), rows))),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="audience-{business_now():%Y-%m-%d}.csv"'},
    )


@blp.post("/audiences/segment")
@page("audiences:read")
def keep() -> Response:
    """Make a segment of the customers as they are now."""
    if not person().may("segments:write"):
        raise Forbidden(gettext("Your role does not allow this."), code="role")
    typed = {name: request.form.get(name, "").strip() for name in _TYPED}
    again = _address(typed)
    found = _computed(typed)
    if found.problem:
        raise found.problem
    wanted = {
        "name": request.form.get("name", "").strip(),
        "description": gettext(
            "The %(count)s customers most likely to buy “%(name)s”, as of %(day)s. A fixed list.",
            count=number(len(found.value["customers"])),
            name=_name(typed),
            day=day(found.value["as_of"]),
        ),
        "customers": [one["customer_id"] for one in found.value["customers"]],
    }
    try:
        made = carry_out(person(), Change("segmentation", "POST", "/v1/segments", json=wanted))
    except Conflict:
        flash(gettext("A segment with this name is already there."), "error")
        return redirect(again)  # type: ignore[return-value]
    except (Invalid, BadRequest) as problem:
        flash(gettext("The segment was not made: %(why)s", why=problem.detail), "error")
        return redirect(again)  # type: ignore[return-value]
    flash(gettext("The segment is saved. Its members are being determined."), "done")
    return redirect(url_for("segments.show", segment_id=made["segment_id"]))  # type: ignore[return-value]


def _address(typed: dict[str, str]) -> str:
    asked: dict[str, Any] = {name: value for name, value in typed.items() if value}
    return url_for("audiences.index", **asked)


def _typed() -> dict[str, str]:
    given = {name: request.args.get(name, "").strip() for name in _TYPED}
    if not given["limit"]:
        given |= {name: given[name] or first for name, (_, first) in _NUMBERS.items()}
    return given


def _computed(typed: dict[str, str]) -> Answer:
    """Ask recommend, once: it is no question to repeat when it takes long. Problems come back in the answer."""
    wanted = Change("recommend", "POST", "/v1/audiences", json=_body(typed), timeout=SLOW_S)
    try:
        return Answer("recommend", carry_out(person(), wanted))
    except Problem as problem:
        return Answer("recommend", problem=problem)


def _body(typed: dict[str, str]) -> dict[str, Any]:
    """The form as the API takes it; what is no number is passed on as it is, for the API to refuse it."""
    about = {"item_id": typed["item"]} if typed["item"] else {"category": typed["category"]}
    body: dict[str, Any] = {**about, "contactable": _CONTACTS.get(typed["contact"], [])}
    for name, (member, _) in _NUMBERS.items():
        if typed[name]:
            body[member] = int(typed[name]) if typed[name].isdecimal() else typed[name]
    if typed["percent"]:
        body["min_probability"] = _share(typed["percent"])
    if typed["country"]:
        body["country"] = typed["country"].upper()
    if typed["segment"]:
        body["segment_id"] = typed["segment"]
    return body


def _share(percent: str) -> float | str:
    try:
        return float(percent) / 100
    except ValueError:
        return percent


def _name(typed: dict[str, str]) -> str:
    """What the audience is for, as people call it."""
    if not typed["item"]:
        return typed["category"]
    found = ask(person(), Ask("recommend", f"/v1/items/{quote(typed['item'], safe='')}"))
    return str(found.value["name"]) if found.ok else typed["item"]


def _matching(answer: Answer, text: str) -> list[dict[str, Any]]:
    """Categories with all that was typed in their path, broader ones included, with how many can be bought."""
    found: dict[tuple[str, ...], int] = {}
    for row in answer.items:
        for end in range(1, len(row["category"]) + 1):
            path = tuple(row["category"][:end])
            if text.casefold() in path[-1].casefold():
                found[path] = found.get(path, 0) + row["on_sale"]
    ranked = sorted(found.items(), key=lambda one: (-one[1], one[0]))[:_FOUND]
    return [{"path": path, "address": " > ".join(path), "on_sale": on_sale} for path, on_sale in ranked]


def _words(found: dict[str, Any]) -> dict[str, str]:
    language = "zh" if str(get_locale()).startswith("zh") else "en"
    return {code: text[language] for code, text in found["reason_texts"].items()}


def _times(found: dict[str, Any]) -> float | None:
    """How many times as many buyers are expected as among as many customers taken by chance."""
    expected, everybody = found["expected"], found["curve"][-1] if found["curve"] else None
    if not expected or not everybody or not everybody["buyers"] or not expected["customers"]:
        return None
    return float(expected["buyers"] / expected["customers"] / (everybody["buyers"] / everybody["customers"]))


def _curve(found: dict[str, Any]) -> dict[str, Any] | None:
    """Expected buyers by the number of customers, for the chart."""
    points = found["curve"]
    if len(points) < 2:
        return None
    labels = [number(point["customers"]) for point in points]
    names = {"buyers": gettext("Expected buyers"), "low": gettext("At least"), "high": gettext("At most")}
    lines = [{"name": name, "values": [round(point[key], 1) for point in points]} for key, name in names.items()]
    return {"labels": labels, "lines": lines}


def _table(found: dict[str, Any], names: dict[str, dict[str, Any]]) -> Iterator[str]:
    columns = ("rank", "customer_id", "user_id", "probability", "low", "high", "bought_before", "reasons")
    words = _words(found)
    yield tables.BEGIN + tables.line(columns)
    for rank, one in enumerate(found["customers"], start=1):
        user = (names.get(one["customer_id"]) or {}).get("user_id")
        chance = ["" if one[name] is None else f"{one[name]:.5f}" for name in ("probability", "low", "high")]
        why = "; ".join(words[code] for code in one["reasons"])
        yield tables.line([rank, one["customer_id"], user, *chance, one["bought_before"], why])
