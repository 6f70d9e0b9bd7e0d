"""What a slot would have earned with another ranking, from answers that gave some of their places by lot.

An item's reward is taken to depend on the person and the item, not on its place or its neighbours; so an item that the
other ranking would have shown, and that was shown, tells what it would have earned. What is shown by score was certain
to be shown; an item drawn from a pool had as many chances as places were drawn; all others had none.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from services.recommend.domain.strategies import ASKED, Strategy
from shared.statistics.off_policy import Estimate, Logged, Worth, worth

# What the moment was (the item looked at, the cart) is not kept, so these cannot be asked what they would have shown.
CANDIDATES: Final = ASKED - {Strategy.SIMILAR, Strategy.BOUGHT_TOGETHER, Strategy.CART_COMPLEMENTS}
LEAST_SUPPORT: Final = 0.8  # of the places of the other ranking
LEAST_DRAWN: Final = 50  # choices by lot, as many as equal weights would be
LEAST_REWARDS: Final = 10
_FEW_DRAWN: Final = 0.05  # of the weight: so little hardly matters


@dataclass(frozen=True)
class Round:
    """One answer: whose (a number), what was shown and what of it by lot, from how many; what the other would show."""

    unit: int
    shown: AbstractSet[int]
    explored: AbstractSet[int]
    pool: int
    candidate: Sequence[int]
    rewards: Mapping[int, float]


def logged_of(rounds: Sequence[Round]) -> Logged:
    """The log as arrays."""
    probability, reward, place = [], [], []
    for number, one in enumerate(rounds):
        for key in one.candidate:
            if key in one.shown:
                probability.append(len(one.explored) / one.pool if key in one.explored else 1.0)
                reward.append(one.rewards.get(key, 0.0))
                place.append(number)
    numbers: dict[int, int] = {}
    unit = [numbers.setdefault(one.unit, len(numbers)) for one in rounds]
    return Logged(
        np.asarray(probability, dtype=np.float64),
        np.asarray(reward, dtype=np.float64),
        np.asarray(place, dtype=np.int64),
        np.asarray(unit, dtype=np.int64),
        np.asarray([len(one.candidate) for one in rounds], dtype=np.float64),
        np.asarray([sum(one.rewards.get(key, 0.0) for key in one.shown) for one in rounds]),
    )


def judged(rounds: Sequence[Round], clip: float | None) -> dict[str, Any]:
    """What the other ranking would have earned per answer, or why the log cannot say.

    `why`: nothing_explored, too_little_support, too_few_drawn or too_few_rewards; then there are no estimates.
    """
    if not rounds:
        return {"can_say": False, "why": "nothing_explored", "diagnostics": None, "estimates": None}
    found = worth(logged_of(rounds), clip)
    why = _why_not(found)
    estimates = {name: asdict(one) for name, one in vars(found).items() if isinstance(one, Estimate)}
    told = {name: value for name, value in vars(found).items() if name not in estimates}
    return {"can_say": why is None, "why": why, "diagnostics": told, "estimates": estimates if why is None else None}


def _why_not(found: Worth) -> str | None:
    if found.support < LEAST_SUPPORT:
        return "too_little_support"
    if found.drawn_share > _FEW_DRAWN and found.effective_drawn < LEAST_DRAWN:
        return "too_few_drawn"
    return "too_few_rewards" if found.effective_rewards < LEAST_REWARDS else None
