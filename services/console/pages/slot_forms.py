"""A slot's settings as the fields of a form, and back: lines and rows that a person can type."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from werkzeug.datastructures import MultiDict

MOST_FALLBACKS: Final = 4
EMPTY_ROWS: Final = 2
NEW: Final[Mapping[str, Any]] = {
    "name": "",
    "title": {"en": "", "zh": ""},
    "kinds": ["product"],
    "strategy": "for_you",
    "fallbacks": ["trending", "popular", "new_arrivals"],
    "n": 10,
    "where": None,
    "exclude": {"bought": True, "bought_within_days": None, "viewed": False, "in_cart": True},
    "pins": [],
    "boosts": [],
    "quotas": [],
    "diversity": 0,
    "price_band": None,
    "explore_share": 0,
    "promotions": [],
    "experiment": None,
}

Form = MultiDict[str, str]


def settings(form: Form, experiment: Any = None) -> dict[str, Any]:
    """What the form says, as the API takes it. What is no number is passed on as it is, for the API to refuse it."""
    band = form.get("band_of", "")
    return {
        "title": {"en": form.get("title_en", "").strip(), "zh": form.get("title_zh", "").strip()},
        "kinds": form.getlist("kinds"),
        "strategy": form.get("strategy", ""),
        "fallbacks": list(dict.fromkeys(one for one in form.getlist("fallbacks") if one)),
        "n": _number(form.get("n", ""), int),
        "where": form.get("where", "").strip() or None,
        "exclude": {
            **{name: form.get(f"exclude_{name}") == "yes" for name in ("bought", "viewed", "in_cart")},
            "bought_within_days": _number(form.get("bought_within_days", ""), int),
        },
        "pins": [
            {"position": _number(position, int), "item_id": item_id.strip()}
            for position, item_id in _rows(form, "pin_position", "pin_item")
        ],
        "boosts": [
            {"factor": _number(factor, float), "where": where.strip()}
            for factor, where in _rows(form, "boost_factor", "boost_where")
        ],
        "quotas": [
            {"most": _number(most, int), "by": by.strip()} for most, by in _rows(form, "quota_most", "quota_by")
        ],
        "diversity": _number(form.get("diversity", "0"), float),
        "price_band": {
            "of": band,
            "low": _number(form.get("band_low", ""), float),
            "high": _number(form.get("band_high", ""), float),
        }
        if band
        else None,
        "explore_share": _share(form.get("explore_percent", "0")),
        "promotions": _promotions(form),
        "experiment": experiment,
    }


def request_of(form: Form, customer: str | None) -> dict[str, Any]:
    """For whom and at which moment the preview is made, as the API takes it."""
    context: dict[str, Any] = {
        "item_id": form.get("try_item", "").strip() or None,
        "category": form.get("try_category", "").strip() or None,
        "cart": [one.strip() for one in form.get("try_cart", "").split(",") if one.strip()],
    }
    asked: dict[str, Any] = {"context": {name: value for name, value in context.items() if value}}
    return {**asked, "customer_id": customer} if customer else asked


def _promotions(form: Form) -> list[dict[str, Any]]:
    """Shares of the places, each for some items (ids with commas between) or for those of a filter."""
    names = ("promotion_name", "promotion_percent", "promotion_by", "promotion_what")
    found = []
    for name, percent, by, what in zip(*(form.getlist(one) for one in names), strict=False):
        if name.strip() or what.strip():
            ids = [one.strip() for one in what.split(",") if one.strip()]
            told = {"items": ids} if by == "items" else {"where": what.strip()}
            found.append({"name": name.strip(), "share": _share(percent), **told})
    return found


def _rows(form: Form, amount: str, about: str) -> list[tuple[str, str]]:
    """The rows in which something is said about something; empty ones are left out."""
    rows = zip(form.getlist(amount), form.getlist(about), strict=False)
    return [row for row in rows if row[1].strip()]


def _number(text: str, kind: Callable[[str], float]) -> float | str | None:
    try:
        return kind(text.strip()) if text.strip() else None
    except ValueError:
        return text


def _share(percent: str) -> float | str | None:
    found = _number(percent, float)
    return found / 100 if isinstance(found, int | float) else found
