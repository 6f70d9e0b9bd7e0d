"""Experiments of a slot: who gets which variant, and what to think of the outcome."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from shared.statistics.comparing import (
    SRM_ALARM,
    Difference,
    Sample,
    holm,
    people_needed,
    ratio,
    sample_ratio_p,
    two_proportions,
    welch,
)
from shared.statistics.cuped import Paired, adjusted, variance_saved

GOALS: Final = ("clicks", "orders", "revenue")
LEAST_TIME: Final = timedelta(days=7)  # a whole week: people buy otherwise at weekends
LEAST_PEOPLE: Final = 100  # in each arm
BEFORE: Final = timedelta(days=28)  # what people did in this time before they were first seen sharpens the comparison
LEAST_KNOWN: Final = 100  # who did anything then, of all arms together
_ALPHA: Final = 0.05
_WORTH_SEEING: Final = 0.1  # sizes are told for a change of a tenth
_SPACE: Final = 2**32


def bucket(salt: str, person: str) -> float:
    """The person's place in [0, 1): the same for the same salt, and for another as good as drawn anew."""
    return int.from_bytes(hashlib.sha256(f"{salt}:{person}".encode("utf-8", "surrogatepass")).digest()[:4]) / _SPACE


def variant_of(experiment: Mapping[str, Any], person: str) -> str:
    """The variant of somebody who has not been seen with one yet."""
    place, end = bucket(experiment["salt"], person), 0.0
    for one in experiment["variants"]:
        end += one["share"]
        if place < end:
            return str(one["name"])
    return str(experiment["variants"][-1]["name"])  # the shares' sum is 1 but for rounding


@dataclass(frozen=True)
class Arm:
    """One variant, over everybody first seen with it. Sums over people; `x` impressions, `y` clicks.

    For each goal `*_before` a figure from before they were first seen, its squares, and its products with the goal.
    """

    variant: str
    share: float
    people: int = 0
    clickers: int = 0
    buyers: int = 0
    x: float = 0.0
    xx: float = 0.0
    y: float = 0.0
    yy: float = 0.0
    xy: float = 0.0
    revenue: float = 0.0
    revenue_squares: float = 0.0
    known: int = 0
    clicks_before: float = 0.0
    clicks_before_squares: float = 0.0
    clicks_products: float = 0.0
    orders_before: float = 0.0
    orders_before_squares: float = 0.0
    orders_products: float = 0.0
    revenue_before: float = 0.0
    revenue_before_squares: float = 0.0
    revenue_products: float = 0.0

    @property
    def paid(self) -> Sample:
        """Revenue per person, in minor units."""
        return Sample(self.people, self.revenue, self.revenue_squares)

    def paired(self, goal: str) -> Paired:
        """A goal of each person (whether they click, whether they buy, what they pay) with the figure from before."""
        done = {"clicks": (self.clickers, self.clickers), "orders": (self.buyers, self.buyers)}
        total, squares = done.get(goal, (self.revenue, self.revenue_squares))
        before = (getattr(self, f"{goal}_{part}") for part in ("before", "before_squares", "products"))
        return Paired(self.people, total, squares, *before)


def outcome(arms: Sequence[Arm], goal: str, started_at: datetime, until: datetime, currency: str) -> dict[str, Any]:
    """What came of an experiment. The first arm is the control.

    `verdict`: do_not_trust (the arms do not have the sizes they were meant to have), winner (`winner` names it), or
    no_difference_yet (`why`: too_early, too_few_people, inconclusive). It may be asked as often as one likes: it goes
    by intervals that hold at every look, and where enough is known of people before (`cuped`), by the sharper ones.
    """
    control, others = arms[0], arms[1:]
    ratio_p = sample_ratio_p([arm.people for arm in arms], [arm.share for arm in arms])
    alpha = _ALPHA / max(1, len(others))
    found = {name: [_compared(arm, control, name, alpha) for arm in others] for name in GOALS}
    saved = {name: _saved(arms, name) for name in GOALS}
    sharper = {name: _sharper(arms, name, alpha) if saved[name] else [None] * len(others) for name in GOALS}
    trusted = ratio_p >= SRM_ALARM
    judged = (sharper if saved[goal] else found)[goal]
    verdict, winner, why = _verdict(arms, judged, trusted, until - started_at)
    told, told_sharper = _differences(found), _differences(sharper)
    return {
        "goal": goal,
        "verdict": verdict,
        "winner": winner,
        "why": why,
        "sample_ratio": {"p_value": ratio_p, "passed": trusted},
        "cuped": {"judged_by": bool(saved[goal]), "known": sum(arm.known for arm in arms), "variance_saved": saved},
        "people_needed": _needed(control, goal, saved[goal]),
        "people_needed_for_change": _WORTH_SEEING,
        "currency": currency,
        "variants": [
            {
                **_told(arm),
                "against_control": told[place - 1] if place and trusted else None,
                "against_control_cuped": told_sharper[place - 1] if place and trusted else None,
            }
            for place, arm in enumerate(arms)
        ],
    }


def _compared(arm: Arm, control: Arm, goal: str, alpha: float) -> Difference | None:
    if goal == "revenue":
        return welch(arm.paid, control.paid, alpha)
    done = (arm.clickers, control.clickers) if goal == "clicks" else (arm.buyers, control.buyers)
    return two_proportions(done[0], arm.people, done[1], control.people, alpha)


def _saved(arms: Sequence[Arm], goal: str) -> float:
    """The share of the variance that goes once what people did before is taken out; 0: it is not, too little is known.

    Whether it is taken out depends on all arms together only, so it cannot be chosen by what comes out.
    """
    if sum(arm.known for arm in arms) < LEAST_KNOWN or min(arm.people for arm in arms) < LEAST_PEOPLE:
        return 0.0
    return variance_saved([arm.paired(goal) for arm in arms])


def _sharper(arms: Sequence[Arm], goal: str, alpha: float) -> list[Difference | None]:
    control, *others = adjusted([arm.paired(goal) for arm in arms])
    return [welch(other, control, alpha) for other in others]


def _p_value(found: Difference | None) -> float:
    return 1.0 if found is None else found.p_value


def _verdict(
    arms: Sequence[Arm], differences: Sequence[Difference | None], trusted: bool, ran: timedelta
) -> tuple[str, str | None, str | None]:
    if not trusted:
        return "do_not_trust", None, "sample_ratio_mismatch"
    if ran < LEAST_TIME:
        return "no_difference_yet", None, "too_early"
    if min(arm.people for arm in arms) < LEAST_PEOPLE or None in differences:
        return "no_difference_yet", None, "too_few_people"
    told = [one for one in differences if one is not None]
    better = [(one.estimate, arm.variant) for one, arm in zip(told, arms[1:], strict=True) if one.always_low > 0]
    if better:
        return "winner", max(better)[1], None
    if told and all(one.always_high < 0 for one in told):
        return "winner", arms[0].variant, None
    return "no_difference_yet", None, "inconclusive"


def _differences(found: Mapping[str, Sequence[Difference | None]]) -> list[dict[str, Any]]:
    """Of each arm but the control, by goal; p-values of several arms adjusted."""
    holms = {name: holm([_p_value(one) for one in of_arms]) for name, of_arms in found.items()}
    return [
        {
            name: None if one is None else {**asdict(one), "p_value_adjusted": holms[name][place]}
            for name, one in zip(found, of_goals, strict=True)
        }
        for place, of_goals in enumerate(zip(*found.values(), strict=True))
    ]


def _needed(control: Arm, goal: str, saved: float) -> int | None:
    if goal == "revenue":
        return people_needed(control.paid.variance * (1 - saved), _WORTH_SEEING * control.paid.mean)
    done = control.clickers if goal == "clicks" else control.buyers
    rate = done / control.people if control.people else 0.0
    return people_needed(rate * (1 - rate) * (1 - saved), _WORTH_SEEING * rate)


def _told(arm: Arm) -> dict[str, Any]:
    rate, variance = ratio(arm.y, arm.yy, arm.x, arm.xx, arm.xy, arm.people)
    people = max(1, arm.people)
    return {
        "name": arm.variant,
        "share": arm.share,
        "people": arm.people,
        "impressions": round(arm.x),
        "clicks": round(arm.y),
        "click_through_rate": rate,
        "click_through_rate_error": variance**0.5,
        "clickers": arm.clickers,
        "click_rate": arm.clickers / people,
        "buyers": arm.buyers,
        "order_rate": arm.buyers / people,
        "revenue_minor": round(arm.revenue),
        "revenue_per_person_minor": arm.paid.mean,
    }
