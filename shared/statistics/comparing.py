"""Comparing arms of an experiment from sums: sample-ratio check, differences with intervals, sizes of tests.

Every difference has two intervals: one for who looks once, and a wider one for who looks as often as they like.
scipy.special has all that is needed and loads at once; scipy.stats takes a second.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtr, ndtri, stdtr, stdtrit

Rate = TypeVar("Rate", float, NDArray[np.float64])

SRM_ALARM: Final = 0.001
CONFIDENCE: Final = 0.95
_EXPECTED_PEOPLE: Final = 10_000  # where the sequence is narrowest; it holds for every number


@dataclass(frozen=True)
class Sample:
    """Sufficient statistics of one arm: people, the sum of a value over them, and the sum of its squares."""

    n: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        """Per person, those without any included."""
        return self.total / self.n if self.n else 0.0

    @property
    def variance(self) -> float:
        """Unbiased; 0 where there are too few to tell."""
        return max(0.0, (self.squares - self.total * self.mean) / (self.n - 1)) if self.n > 1 else 0.0


@dataclass(frozen=True)
class Difference:
    """An arm minus the control: the interval for who looks once, the wider one for who looks as often as they like."""

    estimate: float
    low: float
    high: float
    p_value: float
    always_low: float
    always_high: float

    @property
    def conclusive(self) -> bool:
        """Whether the interval for who looks once leaves zero out."""
        return self.low > 0 or self.high < 0


def sample_ratio_p(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Chi-square test that people fell into the arms in the intended shares (Fabijan et al. 2019).

    Below SRM_ALARM something filters one arm, and no comparison of them can be trusted.
    """
    total, whole = sum(counts), sum(shares)
    if total == 0 or len(counts) < 2:
        return 1.0
    expected = [total * share / whole for share in shares]
    if min(expected) <= 0:
        return 1.0 if all(c == 0 for c, e in zip(counts, expected, strict=True) if e <= 0) else 0.0
    statistic = sum((c - e) ** 2 / e for c, e in zip(counts, expected, strict=True))
    return float(chdtrc(len(counts) - 1, statistic))


def two_proportions(done: int, n: int, done_control: int, n_control: int, alpha: float = 0.05) -> Difference | None:
    """Difference of two rates: Newcombe's interval (1998, method 10), pooled z for p. None where an arm is empty."""
    if min(n, n_control) < 1:
        return None
    p1, p2 = done / n, done_control / n_control
    z = float(ndtri((1 + CONFIDENCE) / 2))
    (low1, high1), (low2, high2) = wilson(p1, n, z), wilson(p2, n_control, z)
    estimate = p1 - p2
    pooled = (done + done_control) / (n + n_control)
    error = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / n_control))
    variance = p1 * (1 - p1) / n + p2 * (1 - p2) / n_control
    reach = always_valid(variance, n + n_control, alpha)
    return Difference(
        estimate,
        estimate - math.hypot(p1 - low1, high2 - p2),
        estimate + math.hypot(high1 - p1, p2 - low2),
        1.0 if error == 0 else float(2 * ndtr(-abs(estimate) / error)),
        estimate - reach,
        estimate + reach,
    )


def welch(arm: Sample, control: Sample, alpha: float = 0.05) -> Difference | None:
    """Difference of means, unequal variances (Welch 1947). None where an arm has fewer than two people."""
    if min(arm.n, control.n) < 2:
        return None
    a, b = arm.variance / arm.n, control.variance / control.n
    estimate, error = arm.mean - control.mean, math.sqrt(a + b)
    if error == 0:
        return Difference(estimate, estimate, estimate, 1.0 if estimate == 0 else 0.0, estimate, estimate)
    freedom = (a + b) ** 2 / (a**2 / (arm.n - 1) + b**2 / (control.n - 1))
    reach = float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * error
    always = always_valid(a + b, arm.n + control.n, alpha)
    p_value = float(2 * stdtr(freedom, -abs(estimate) / error))
    return Difference(estimate, estimate - reach, estimate + reach, p_value, estimate - always, estimate + always)


def always_valid(variance: float, n: int, alpha: float) -> float:
    """Half the width of an interval that holds at every look at once (asymptotic confidence sequence).

    Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024), for an estimate with this variance from n people.
    """
    if n < 1:
        return math.inf
    best = (-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / _EXPECTED_PEOPLE  # ρ²
    wide = n * best + 1
    return math.sqrt(variance * n * 2 * wide / (n * n * best) * math.log(math.sqrt(wide) / alpha))


def ratio(
    total: float, squares: float, base: float, base_squares: float, products: float, n: int
) -> tuple[float, float]:
    """total ÷ base, both sums over n people, and the variance of that ratio by the delta method; (0, 0): no base."""
    if base == 0 or n < 2:
        return (total / base if base else 0.0), 0.0
    found, mean = total / base, base / n
    spread = squares - 2 * found * products + found * found * base_squares
    return found, max(0.0, spread / (n - 1)) / (n * mean * mean)


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values of several comparisons, adjusted (Holm 1979)."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def people_needed(variance: float, difference: float, power: float = 0.8, alpha: float = 0.05) -> int | None:
    """People per arm to see means differ by `difference`, two-sided. None where that cannot be said yet."""
    if variance <= 0 or difference <= 0:
        return None
    z = float(ndtri(1 - alpha / 2) + ndtri(power))
    return math.ceil(2 * variance * (z / difference) ** 2)


def sample_size(rate: float, difference: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """People per arm to see `rate` change by `difference` (absolute), two-sided, null variance that of `rate`.

    Raises ValueError where either rate is none.
    """
    other = rate + difference
    if not (0 < rate < 1 and 0 < other < 1) or difference == 0:
        raise ValueError("a rate and the changed rate lie between 0 and 1, and differ")
    null = math.sqrt(2 * rate * (1 - rate))
    alternative = math.sqrt(rate * (1 - rate) + other * (1 - other))
    z_alpha, z_beta = float(ndtri(1 - alpha / 2)), float(ndtri(power))
    return math.floor(((z_alpha * null + z_beta * alternative) / difference) ** 2 + 0.5)


def wilson(p: Rate, n: Any, z: float) -> tuple[Rate, Rate]:
    """Wilson's interval (1927) of one rate, or of each rate of an array; `n` people in each."""
    centre = p + z * z / (2 * n)
    reach = z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    whole = 1 + z * z / n
    return (centre - reach) / whole, (centre + reach) / whole
