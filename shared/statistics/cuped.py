"""Differences seen more sharply by what was known of people before: CUPED (Deng, Xu, Kohavi and Walker 2013).

What somebody does is partly what they always do. With a figure from before the experiment (which no variant can have
changed) that part is taken out, in every arm with the same slope: the difference stays what it was on average, and its
variance falls by the square of the correlation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.statistics.comparing import Sample


@dataclass(frozen=True)
class Paired:
    """Sums over the people of one arm: of a value, of the figure from before, of their squares and products."""

    n: int
    total: float
    squares: float
    before: float
    before_squares: float
    products: float

    @property
    def raw(self) -> Sample:
        """The value as it is."""
        return Sample(self.n, self.total, self.squares)

    def less(self, slope: float, centre: float) -> Sample:
        """The value less `slope` × (figure from before − `centre`)."""
        n, apart = self.n, self.before - self.n * centre
        apart_squares = self.before_squares - 2 * centre * self.before + n * centre * centre
        crossed = self.products - centre * self.total
        return Sample(n, self.total - slope * apart, self.squares - 2 * slope * crossed + slope * slope * apart_squares)


def slope_of(arms: Sequence[Paired]) -> float:
    """How much the value rises with the figure from before, within arms, all arms together; 0 where it never varies."""
    varies = sum(arm.before_squares - arm.before**2 / arm.n for arm in arms if arm.n)
    together = sum(arm.products - arm.before * arm.total / arm.n for arm in arms if arm.n)
    return together / varies if varies > 0 else 0.0


def adjusted(arms: Sequence[Paired]) -> list[Sample]:
    """Each arm's value with what was known before taken out. The mean over all arms together stays."""
    n = sum(arm.n for arm in arms)
    slope, centre = slope_of(arms), sum(arm.before for arm in arms) / n if n else 0.0
    return [arm.less(slope, centre) for arm in arms]


def variance_saved(arms: Sequence[Paired]) -> float:
    """The share of the variance within arms that the adjustment takes away, 0 to 1."""
    raw = sum(arm.raw.variance * arm.n for arm in arms)
    left = sum(sample.variance * sample.n for sample in adjusted(arms))
    return min(1.0, max(0.0, 1 - left / raw)) if raw > 0 else 0.0
