"""Comparing the treated with the held out: sample-ratio check, differences with intervals, sizes of tests.

scipy is imported where it is used: it takes a second to load, and most processes never compare anything.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SRM_ALARM: Final = 0.001
CONFIDENCE: Final = 0.95


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
    """Treated minus held out, with its interval and two-sided p-value."""

    estimate: float
    low: float
    high: float
    p_value: float

    @property
    def conclusive(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


def sample_ratio_p(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Chi-square test that people fell into the arms in the intended shares (Fabijan et al. 2019).

    Below SRM_ALARM something filters one arm, and no comparison of them can be trusted.
    """
    from scipy.stats import chisquare  # noqa: PLC0415  # see above

    total = sum(counts)
    if total == 0 or len(counts) < 2:
        return 1.0
    whole = sum(shares)
    return float(chisquare(counts, [total * share / whole for share in shares]).pvalue)


def welch(treated: Sample, held_out: Sample, confidence: float = CONFIDENCE) -> Difference | None:
    """Difference of means, unequal variances (Welch 1947). None where an arm has fewer than two people."""
    from scipy.stats import t  # noqa: PLC0415  # see above

    if min(treated.n, held_out.n) < 2:
        return None
    a, b = treated.variance / treated.n, held_out.variance / held_out.n
    estimate = treated.mean - held_out.mean
    error = math.sqrt(a + b)
    if error == 0:
        return Difference(estimate, estimate, estimate, 1.0 if estimate == 0 else 0.0)
    freedom = (a + b) ** 2 / (a**2 / (treated.n - 1) + b**2 / (held_out.n - 1))
    reach = float(t.ppf((1 + confidence) / 2, freedom)) * error
    p_value = 2 * float(t.sf(abs(estimate) / error, freedom))
    return Difference(estimate, estimate - reach, estimate + reach, p_value)


def two_proportions(
    successes: int, n: int, successes_held_out: int, n_held_out: int, confidence: float = CONFIDENCE
) -> Difference | None:
    """Difference of two rates: Newcombe's interval (1998, method 10), which holds for small counts too; pooled z for p.

    None where an arm is empty.
    """
    from scipy.stats import norm  # noqa: PLC0415  # see above

    if min(n, n_held_out) < 1:
        return None
    p1, p2 = successes / n, successes_held_out / n_held_out
    z = float(norm.ppf((1 + confidence) / 2))
    low1, high1 = _wilson(p1, n, z)
    low2, high2 = _wilson(p2, n_held_out, z)
    estimate = p1 - p2
    low = estimate - math.hypot(p1 - low1, high2 - p2)
    high = estimate + math.hypot(high1 - p1, p2 - low2)
    pooled = (successes + successes_held_out) / (n + n_held_out)
    error = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / n_held_out))
    p_value = 1.0 if error == 0 else 2 * float(norm.sf(abs(estimate) / error))
    return Difference(estimate, low, high, p_value)


def sample_size(rate: float, difference: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """People per arm to see `rate` change by `difference` (absolute), two-sided, null variance that of `rate`."""
    from scipy.stats import norm  # noqa: PLC0415  # see above

    other = rate + difference
    if not (0 < rate < 1 and 0 < other < 1) or difference == 0:
        raise ValueError("a rate and the changed rate lie between 0 and 1, and differ")
    z_alpha, z_beta = float(norm.ppf(1 - alpha / 2)), float(norm.ppf(power))
    null = math.sqrt(2 * rate * (1 - rate))
    alternative = math.sqrt(rate * (1 - rate) + other * (1 - other))
    return math.floor(((z_alpha * null + z_beta * alternative) / difference) ** 2 + 0.5)


def _wilson(p: float, n: int, z: float) -> tuple[float, float]:
    """Wilson's interval (1927) of one rate."""
    centre = p + z * z / (2 * n)
    reach = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    whole = 1 + z * z / n
    return (centre - reach) / whole, (centre + reach) / whole
