"""What another policy would have earned, from what was logged of one that drew some of its choices by lot.

Each entry is a choice that the other policy would have made and that was in fact made, with the probability of that
and what it earned. Weighted by 1 ÷ probability they stand for all choices of the other policy that had a chance
(inverse propensity scoring, Horvitz and Thompson 1952); divided by the sum of the weights, for its average choice
(self-normalised: Swaminathan and Joachims 2015). Weights may be clipped (Ionides 2008), which trades variance for bias.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

_Z: Final = 1.959963984540054  # of a 95 % interval


@dataclass(frozen=True)
class Logged:
    """What was logged, in arrays: choices, and the rounds (answers, auctions …) in which they were made.

    `probability`, `reward`, `round`: of each choice that both policies made, where in the rounds it belongs. Of each
    round: `unit`, the number (from 0) of the person, since what one person does hangs together; `choices`, how many the
    other policy makes in it; `earned`, what the logged policy earned in it.
    """

    probability: Floats
    reward: Floats
    round: Places
    unit: Places
    choices: Floats
    earned: Floats


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Worth:
    """What a round is worth, on average over rounds.

    `ips`: choices of the other policy that had no chance count as nothing; `snips`: they earn what the others earn;
    `logged`: the policy that was in force; `gain`: snips − logged. `support`: the share of the other policy's choices
    that had a chance. `effective`: how many choices without weights would say as much (Kish 1965); of these
    `effective_drawn` were made by lot, and the weight of those is `drawn_share` of all; `effective_rewards`: of choices
    that earned anything. `clip`: the highest weight that was allowed; `clipped`: the share of all weight it took away.
    """

    ips: Estimate
    snips: Estimate
    logged: Estimate
    gain: Estimate
    support: float
    effective: float
    effective_drawn: float
    drawn_share: float
    effective_rewards: float
    clip: float
    clipped: float


def worth(log: Logged, clip: float | None = None) -> Worth:
    """Estimate from a log of at least one round. `clip`: the highest weight; None: it grows with the log.

    Intervals are by linearisation over units (delta method), as of two hundred rounds and ten rewards on.
    """
    full = 1 / log.probability
    drawn = log.probability < 1
    highest = _usual_clip(full[drawn]) if clip is None else clip
    weights = np.minimum(full, highest)
    rounds = len(log.unit)
    weight, gained = (_by(log.round, values, rounds) for values in (weights, weights * log.reward))
    places = float(log.choices.sum())
    total_weight = float(weight.sum())
    average = float(gained.sum()) / total_weight if total_weight else 0.0
    each = places / rounds
    ips, logged = float(gained.mean()), float(log.earned.mean())
    of_ips, of_logged = (gained - ips) / rounds, (log.earned - logged) / rounds
    of_snips = each * (gained - average * weight) / total_weight if total_weight else np.zeros(rounds)
    snips = each * average
    return Worth(
        ips=_estimate(ips, of_ips, log.unit),
        snips=_estimate(snips, of_snips, log.unit),
        logged=_estimate(logged, of_logged, log.unit),
        gain=_estimate(snips - logged, of_snips - of_logged, log.unit),
        support=total_weight / places if places else 0.0,
        effective=effective_size(weights),
        effective_drawn=effective_size(weights[drawn]),
        drawn_share=float(weights[drawn].sum()) / total_weight if total_weight else 0.0,
        effective_rewards=effective_size(weights * log.reward),
        clip=highest,
        clipped=1 - float(weights.sum() / full.sum()) if len(full) else 0.0,
    )


def effective_size(weights: Floats | Sequence[float]) -> float:
    """How many equal weights would vary as little (Kish 1965): their number where all are equal, 1 where one rules."""
    given = np.asarray(weights, dtype=np.float64)
    squares = float(np.square(given).sum())
    return float(given.sum()) ** 2 / squares if squares else 0.0


def _usual_clip(weights: Floats) -> float:
    """The mean weight × the root of their number: equal weights are never clipped, and none for ever."""
    return max(1.0, float(weights.mean()) * math.sqrt(len(weights))) if len(weights) else 1.0


def _by(place: Places, values: NDArray[Any], size: int) -> Floats:
    return np.bincount(place, weights=values, minlength=size).astype(np.float64)


def _estimate(value: float, influence: Floats, unit: Places) -> Estimate:
    """`influence`: how much each round moves the figure; those of one unit move it together."""
    of_units = np.bincount(unit, weights=influence)
    count = len(of_units)
    if count < 2:
        return Estimate(value, -math.inf, math.inf)
    reach = _Z * math.sqrt(count / (count - 1) * float(np.square(of_units).sum()))
    return Estimate(value, value - reach, value + reach)
