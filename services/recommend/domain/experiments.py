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

GOALS: Final = ("clicks", "orders", "revenue")
LEAST_TIME: Final = timedelta(days=7)  # a whole week: people buy otherwise at weekends
LEAST_PEOPLE: Final = 100  # in each arm
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
    """One variant, over everybody first seen with it. Sums over people; `x` impressions, `y` clicks."""

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

    @property
    def paid(self) -> Sample:
        """Revenue per person, in minor units."""
        return Sample(self.people, self.revenue, self.revenue_squares)


def outcome(arms: Sequence[Arm], goal: str, started_at: datetime, until: datetime, currency: str) -> dict[str, Any]:
    """What came of an experiment. The first arm is the control.

    `verdict`: do_not_trust (the arms do not have the sizes they were meant to have), winner (`winner` names it), or
    no_difference_yet (`why`: too_early, too_few_people, inconclusive). It may be asked as often as one likes: it goes
    by intervals that hold at every look.
    """
    control, others = arms[0], arms[1:]
    ratio_p = sample_ratio_p([arm.people for arm in arms], [arm.share for arm in arms])
    alpha = _ALPHA / max(1, len(others))
    found = [{name: _compared(arm, control, name, alpha) for name in GOALS} for arm in others]
    adjusted = {name: holm([_p_value(one[name]) for one in found]) for name in GOALS}
    trusted = ratio_p >= SRM_ALARM
    verdict, winner, why = _verdict(arms, [one[goal] for one in found], trusted, until - started_at)
    return {
        "goal": goal,
        "verdict": verdict,
        "winner": winner,
        "why": why,
        "sample_ratio": {"p_value": ratio_p, "passed": trusted},
        "people_needed": _needed(control, goal),
        "people_needed_for_change": _WORTH_SEEING,
        "currency": currency,
        "variants": [
            _told(arm, None if place == 0 or not trusted else _differences(found, adjusted, place - 1))
            for place, arm in enumerate(arms)
        ],
    }


def _compared(arm: Arm, control: Arm, goal: str, alpha: float) -> Difference | None:
    if goal == "revenue":
        return welch(arm.paid, control.paid, alpha)
    done = (arm.clickers, control.clickers) if goal == "clicks" else (arm.buyers, control.buyers)
    return two_proportions(done[0], arm.people, done[1], control.people, alpha)


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


def _differences(
    found: Sequence[Mapping[str, Difference | None]], adjusted: Mapping[str, Sequence[float]], place: int
) -> dict[str, Any]:
    return {
        name: None if one is None else {**asdict(one), "p_value_adjusted": adjusted[name][place]}
        for name, one in found[place].items()
    }


def _needed(control: Arm, goal: str) -> int | None:
    if goal == "revenue":
        return people_needed(control.paid.variance, _WORTH_SEEING * control.paid.mean)
    done = control.clickers if goal == "clicks" else control.buyers
    rate = done / control.people if control.people else 0.0
    return people_needed(rate * (1 - rate), _WORTH_SEEING * rate)


def _told(arm: Arm, differences: dict[str, Any] | None) -> dict[str, Any]:
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
        "against_control": differences,
    }
