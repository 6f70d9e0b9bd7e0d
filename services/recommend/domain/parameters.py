"""What a model is trained with. Everything that changes its figures is here and goes into its manifest."""

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.interactions import Kind

KIND_WEIGHTS: Final = MappingProxyType(
    {
        Kind.VIEWED: 0.1,
        Kind.CLICKED: 0.2,
        Kind.WISHED: 0.5,
        Kind.ADDED: 0.5,
        Kind.REMOVED: -0.4,
        Kind.BOUGHT: 1.0,
        Kind.RETURNED: 0.0,  # a return takes away from what was bought, see tastes.py
    }
)


@dataclass(frozen=True)
class AlsParameters:
    """Of implicit alternating least squares (Hu, Koren, Volinsky 2008): confidence = alpha × affinity."""

    factors: int = 64
    iterations: int = 10
    regularization: float = 30.0
    alpha: float = 1.0
    random_state: int = 20_170_101


@dataclass(frozen=True)
class Parameters:
    """All of a training run. Half-lives in days: after one, an interaction counts half.

    A run sets als.regularization itself, by regularization_strength and the data (see als.regularization()).
    """

    als: AlsParameters = field(default_factory=AlsParameters)
    regularization_strength: float = 1.5
    affinity_half_life: float = 365.0
    frequency_half_life: float = 120.0
    popularity_half_life: float = 14.0


@dataclass(frozen=True)
class Blend:
    """Weights of the parts of a score, each part scaled to a maximum of 1; found by validation on the shop's own data.

    `repeat_*`: where what was bought before may come again: frequency + collaborative + popular (frequency weighs 1).
    `discover_popular`: where it may not: collaborative (weighs 1) + popular.
    """

    repeat_collaborative: float = 0.1
    repeat_popular: float = 0.1
    discover_popular: float = 0.3


def kind_weights() -> NDArray[np.float32]:
    """The weights as a table: kind_weights()[kinds] is the weight of each line."""
    table = np.zeros(max(Kind) + 1, dtype=np.float32)
    for kind, weight in KIND_WEIGHTS.items():
        table[kind] = weight
    return table
