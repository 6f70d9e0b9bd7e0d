"""What a campaign earned, in words and charts."""

from datetime import date, datetime
from typing import Any, Final

from babel.dates import format_skeleton
from flask_babel import get_locale, gettext, ngettext
from flask_babel import lazy_gettext as _

from services.console.pages.formats import money, number, percent, to_major
from services.console.pages.labels import SEND
from shared.shop import business_now

VERDICTS: Final = {
    "higher": (_("The campaign brought in more than would have come without it"), "good"),
    "lower": (_("Those contacted spent less than those held out"), "bad"),
    "inconclusive": (_("No difference can be told from chance"), "plain"),
    "too_few": (_("Too few people to say anything"), "plain"),
    "sample_ratio_mismatch": (_("The comparison cannot be trusted"), "bad"),
    "no_holdout": (_("Nobody was held out, so its effect is unknown"), "plain"),
}

NOTES: Final = {
    "replay": _(
        "These weeks had already happened when the campaign ran, so it cannot have caused anything in them: this checks"
        " the method itself. About one such check in twenty shows a difference by chance alone."
    ),
    "no_holdout": _(
        "Hold out a share of the people next time: only the comparison with them says what a campaign earns."
    ),
    "sample_ratio_mismatch": _(
        "The groups do not have the sizes they were meant to have; something filters one of them. Comparing them would"
        " mislead, so no difference is shown."
    ),
    "too_few": _("One of the groups is very small."),
    "window_open": _("The time counted is not over yet; the figures still change."),
}

CONFLICTS: Final = {
    "wrong_state": _("The campaign is in a state that does not allow this any more."),
    "no_sender": _("Set up the sender's address in the shop settings first."),
    "sending_off": _("All sending is stopped in the shop settings."),
}

REASONS: Final = {
    "accepted": _("taken by the mail server"),
    "held_out_to_compare": _("drawn by lot"),
    "customer_unknown": _("customer is gone"),
    "not_sent_in_time": _("not sent in time"),
    "address_invalid": _("address is not usable"),
    "address_missing": _("no address known"),
    "marketing_email_not_granted": _("has not agreed to marketing e-mail"),
    "not_on_allow_list": _("not on the allow-list"),
    "quiet_hours": _("quiet hours"),
    "interrupted_while_handing_over": _("interrupted while being handed over"),
    "resent_after_interruption": _("sent again after an interruption"),
    "campaign_cancelled": _("campaign was cancelled"),
}


def view(report: dict[str, Any]) -> dict[str, Any]:
    """The report as the page shows it: a verdict in a sentence, the funnel, the arms, the interval, the days."""
    lift = report["lift"]
    headline, tone = VERDICTS.get(lift["verdict"], (lift["verdict"], "plain"))
    return {
        "headline": headline,
        "tone": tone,
        "sentence": _sentence(report),
        "notes": [NOTES.get(note["code"], note["message"]) for note in lift["notes"]],
        "funnel": _funnel(report["engagement"]),
        "states": _states(report["recipients"]["by_state"]),
        "interval": _interval(report),
        "days": _days(report),
    }


def _sentence(report: dict[str, Any]) -> str:
    """The comparison in plain words, with the interval."""
    revenue, currency = report["lift"]["revenue_per_person_minor"], report["currency"]
    if revenue is None:
        return ""
    days = ngettext("%(num)d day", "%(num)d days", report["window"]["days"])
    told = gettext(
        "Within %(days)s those contacted spent %(treated)s per person, those held out %(holdout)s: a difference of"
        " %(estimate)s (95%% interval: %(low)s to %(high)s).",
        days=days,
        treated=money(round(report["arms"]["treated"]["revenue_per_person_minor"]), currency),
        holdout=money(round(report["arms"]["holdout"]["revenue_per_person_minor"]), currency),
        estimate=money(round(revenue["estimate"]), currency),
        low=money(round(revenue["low"]), currency),
        high=money(round(revenue["high"]), currency),
    )
    total = report["lift"]["incremental_revenue_minor"]
    if total is None:
        return told
    summed = gettext(
        "Over everybody that is %(total)s (%(low)s to %(high)s).",
        total=money(total["estimate"], currency),
        low=money(total["low"], currency),
        high=money(total["high"], currency),
    )
    return f"{told} {summed}"


def _funnel(engagement: dict[str, Any]) -> dict[str, Any]:
    steps = (
        ("sent", gettext("Sent")),
        ("delivered", gettext("Delivered")),
        ("opened", gettext("Opened")),
        ("clicked", gettext("Clicked")),
        ("unsubscribed", gettext("Unsubscribed")),
        ("bounced", gettext("Bounced")),
        ("complained", gettext("Complained")),
    )
    sent = engagement["sent"]
    shown = [(name, label) for name, label in steps if engagement[name] or name in ("sent", "opened", "clicked")]
    return {
        "labels": [label for _name, label in shown],
        "values": [engagement[name] for name, _label in shown],
        "shown": [
            f"{number(engagement[name])} · {percent(engagement[name] / sent)}"
            if sent and name != "sent"
            else number(sent)
            for name, _label in shown
        ],
        "colours": [3 if name in ("unsubscribed", "bounced", "complained") else 0 for name, _label in shown],
    }


def _states(by_state: dict[str, int]) -> list[dict[str, Any]]:
    """How many recipients are in each state, in the order people think of them."""
    order = [*SEND]
    known = sorted(by_state.items(), key=lambda pair: order.index(pair[0]) if pair[0] in order else len(order))
    return [{"state": state, "label": SEND.get(state, state), "count": count} for state, count in known if count]


def _interval(report: dict[str, Any]) -> dict[str, Any] | None:
    revenue, currency = report["lift"]["revenue_per_person_minor"], report["currency"]
    if revenue is None:
        return None
    values = {name: float(to_major(round(revenue[name]), currency)) for name in ("estimate", "low", "high")}
    shown = f"{money(round(revenue['low']), currency)} … {money(round(revenue['high']), currency)}"
    return {
        "labels": [gettext("Revenue per person")],
        "values": [values["estimate"]],
        "low": [values["low"]],
        "high": [values["high"]],
        "shown": [shown],
    }


def _days(report: dict[str, Any]) -> dict[str, Any] | None:
    """Revenue per person of both groups, summed up over the days so far; None without somebody in both."""
    arms, currency = report["arms"], report["currency"]
    people = {arm: arms[arm]["people"] for arm in ("treated", "holdout")}
    today = (business_now() - datetime.fromisoformat(report["as_of"])).days
    days = report["daily"][: max(0, today + 1)]
    if not all(people.values()) or len(days) < 2:
        return None
    sums = {"treated": 0, "holdout": 0}
    points: dict[str, list[float]] = {"treated": [], "holdout": []}
    for day in days:
        for arm, values in points.items():
            sums[arm] += day[arm]["revenue_minor"]
            values.append(float(to_major(round(sums[arm] / people[arm]), currency)))
    dates = [date.fromisoformat(day["date"]) for day in days]
    return {
        "labels": [format_skeleton("MMMd", day, locale=get_locale()) for day in dates],
        "lines": [
            {"name": gettext("Contacted"), "values": points["treated"]},
            {"name": gettext("Held out"), "values": points["holdout"]},
        ],
        "currency": currency,
    }
