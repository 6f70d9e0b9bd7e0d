"""What came of a run: what was bought, what of that is due to the campaign, and whether to believe it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from shared.statistics.comparing import SRM_ALARM, Difference, Sample, sample_ratio_p, two_proportions, welch

_FEW: Final = 30
REPLAY_NOTE: Final = (
    "These weeks were already recorded when the campaign ran; the campaign cannot have caused anything in them. "
    "This is an A/A check of the method: about one in twenty shows an interval without zero by chance alone."
)


@dataclass(frozen=True)
class Arm:
    """One arm of a run within the attribution window, over everybody assigned to it (intention to treat)."""

    people: int
    buyers: int
    orders: int
    revenue_minor: int
    revenue_squares: float

    @property
    def revenue(self) -> Sample:
        """Revenue per person, in minor units."""
        return Sample(self.people, float(self.revenue_minor), self.revenue_squares)

    def as_dict(self) -> dict[str, Any]:
        """For the report."""
        return {
            "people": self.people,
            "buyers": self.buyers,
            "orders": self.orders,
            "revenue_minor": self.revenue_minor,
            "order_rate": self.buyers / self.people if self.people else 0.0,
            "revenue_per_person_minor": self.revenue.mean,
        }


def lift(treated: Arm, held_out: Arm, holdout_share: float, *, replay: bool, window_over: bool) -> dict[str, Any]:
    """The comparison. `verdict`: no_holdout, sample_ratio_mismatch, too_few, higher, lower or inconclusive."""
    ratio_p = (
        sample_ratio_p([treated.people, held_out.people], [1 - holdout_share, holdout_share]) if holdout_share else 1.0
    )
    revenue = welch(treated.revenue, held_out.revenue)
    rate = two_proportions(treated.buyers, treated.people, held_out.buyers, held_out.people)
    blocked = ratio_p < SRM_ALARM
    return {
        "sample_ratio": {
            "treated": treated.people,
            "holdout": held_out.people,
            "intended_holdout_share": holdout_share,
            "p_value": ratio_p,
            "passed": not blocked,
        },
        "revenue_per_person_minor": None if blocked else _difference(revenue),
        "order_rate": None if blocked else _difference(rate),
        "incremental_revenue_minor": None if blocked or revenue is None else _scaled(revenue, treated.people),
        "verdict": _verdict(treated, held_out, holdout_share, blocked, revenue),
        "notes": _notes(holdout_share, blocked, replay, window_over, treated, held_out),
    }


def _verdict(treated: Arm, held_out: Arm, share: float, blocked: bool, revenue: Difference | None) -> str:
    if share == 0 or held_out.people == 0:
        return "no_holdout"
    if blocked:
        return "sample_ratio_mismatch"
    if revenue is None or min(treated.people, held_out.people) < _FEW:
        return "too_few"
    if not revenue.conclusive:
        return "inconclusive"
    return "higher" if revenue.estimate > 0 else "lower"


def _notes(
    share: float, blocked: bool, replay: bool, window_over: bool, treated: Arm, held_out: Arm
) -> list[dict[str, str]]:
    notes: list[dict[str, str]] = []
    if replay:
        notes.append({"code": "replay", "message": REPLAY_NOTE})
    if share == 0:
        notes.append(
            {"code": "no_holdout", "message": "Nobody was held out, so nothing says what the campaign caused."}
        )
    if blocked:
        message = (
            "The arms do not have the sizes they were meant to have; something filters one of them, and comparing them "
            "would mislead. No lift is reported."
        )
        notes.append({"code": "sample_ratio_mismatch", "message": message})
    elif share and min(treated.people, held_out.people) < _FEW:
        notes.append({"code": "too_few", "message": f"An arm has fewer than {_FEW} people."})
    if not window_over:
        notes.append(
            {"code": "window_open", "message": "The attribution window is not over; figures will still change."}
        )
    return notes


def _difference(found: Difference | None) -> dict[str, Any] | None:
    return None if found is None else {**asdict(found), "conclusive": found.conclusive}


def _scaled(found: Difference, people: int) -> dict[str, Any]:
    return {
        "estimate": round(found.estimate * people),
        "low": round(found.low * people),
        "high": round(found.high * people),
    }


def daily(rows: Sequence[Mapping[str, Any]], first: datetime, days: int) -> list[dict[str, Any]]:
    """One entry for each day of the window since `first`, days without anything included."""
    by_day: dict[int, dict[str, Any]] = {
        day: {"day": day, "treated": {"orders": 0, "revenue_minor": 0}, "holdout": {"orders": 0, "revenue_minor": 0}}
        for day in range(days)
    }
    for row in rows:
        entry = by_day.get(row["day"])
        if entry is not None:
            entry[row["arm"]] = {"orders": row["orders"], "revenue_minor": row["revenue_minor"]}
    return [{**entry, "date": _date_of(first, entry["day"])} for entry in by_day.values()]


def _date_of(first: datetime, day: int) -> str:
    return (first + timedelta(days=day)).date().isoformat()
