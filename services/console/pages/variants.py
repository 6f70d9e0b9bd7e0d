"""The variants of an experiment as rows of a form, and back: what each does otherwise than its slot."""

from collections.abc import Mapping
from typing import Any, Final

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from werkzeug.datastructures import MultiDict

from services.console.pages import slot_forms
from services.console.pages.formats import number, percent
from services.console.pages.items import STRATEGIES
from services.console.pages.slot_forms import Form

ROWS: Final = 3
# What may differ beside the strategy, in the order of the form: the setting, its part of the form, what it is called.
DIFFERS: Final = (
    ("n", "how_many", _("How many")),
    ("fallbacks", "fallbacks", _("Where that finds too few")),
    ("where", "filter", _("Filter")),
    ("exclude", "exclusions", _("Not what this person")),
    ("price_band", "price_band", _("Price band")),
    ("pins", "pins", _("Pinned items (place, item id)")),
    ("boosts", "boosts", _("Boosts (factor, filter); below 1 buries")),
    ("quotas", "quotas", _("Quotas (at most, of the same)")),
    ("promotions", "promotions", _("Promotions (name, share of the places in per cent, what)")),
    ("diversity", "variety", _("Variety")),
    ("explore_share", "exploration", _("Share for new items (per cent)")),
)
_NAMES: Final = {
    **{setting: label for setting, _part, label in DIFFERS},
    "exclude": _("Exclusions"),
    "fallbacks": _("What follows"),
    "pins": _("Pinned items"),
    "boosts": _("Boosts"),
    "quotas": _("Quotas"),
    "promotions": _("Promotions"),
    "explore_share": _("Share for new items"),
}


def typed(form: Form, slot: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every row of the form, with the slot as that variant would have it (`slot`) and what `differs` in it."""
    rows = []
    for place in range(ROWS):
        of_row = _part(form, prefix(place))
        settings = slot_forms.settings(of_row)
        differs = [setting for setting, _form, _label in DIFFERS if setting in of_row.getlist("differs")]
        row = {name: of_row.get(name, "").strip() for name in ("variant", "percent", "strategy")}
        rows.append({**row, "differs": differs, "slot": {**slot, **{name: settings[name] for name in differs}}})
    return rows


def untouched(slot: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of an empty form: half of the people see the slot as it is."""
    given = (("control", "50"), ("other", "50"), *[("", "")] * (ROWS - 2))
    return [{"variant": name, "percent": share, "strategy": "", "differs": [], "slot": slot} for name, share in given]


def wanted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The variants as the API takes them; rows without a name are none. What is no number is left for it to refuse."""
    found = []
    for row in rows:
        if row["variant"]:
            variant: dict[str, Any] = {"name": row["variant"], "share": _share(row["percent"])}
            if row["strategy"]:
                variant["strategy"] = row["strategy"]
            if row["differs"]:
                variant["overrides"] = {name: row["slot"][name] for name in row["differs"]}
            found.append(variant)
    return found


def in_words(variant: Mapping[str, Any]) -> list[str]:
    """What a variant does otherwise than its slot, each in a few words; nothing: it is the slot as it is."""
    overrides = dict(variant.get("overrides") or {})
    strategy = variant.get("strategy") or overrides.get("strategy")
    told = [str(STRATEGIES.get(strategy, strategy))] if strategy else []
    return told + [_said(name, value) for name, value in overrides.items() if name != "strategy"]


def prefix(place: int) -> str:
    """What stands before the names of the fields of a row."""
    return f"v{place}_"


def _said(name: str, value: Any) -> str:
    label = _NAMES.get(name, name)
    if name == "explore_share":
        shown = percent(value)
    elif name == "fallbacks":
        shown = " → ".join(str(STRATEGIES.get(one, one)) for one in value) or gettext("nothing")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        shown = number(value, 0 if isinstance(value, int) else 2)
    elif isinstance(value, str):
        shown = value
    else:
        return str(
            gettext("%(setting)s: its own", setting=label) if value else gettext("%(setting)s: none", setting=label)
        )
    return str(gettext("%(setting)s: %(value)s", setting=label, value=shown))


def _part(form: Form, before: str) -> Form:
    return MultiDict(
        [
            (name.removeprefix(before), value)
            for name, values in form.lists()
            for value in values
            if name.startswith(before)
        ]
    )


def _share(percentage: str) -> float | str:
    try:
        return float(percentage) / 100
    except ValueError:
        return percentage
