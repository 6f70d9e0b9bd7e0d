"""What a model is trained with. Everything that changes its figures is here and goes into its manifest."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Final

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
    lately_half_life: float = 14.0
    popularity_half_life: float = 14.0
    walk_alpha: float = 1.0
    walk_beta: float = 0.6
    trend_power: float = 0.5  # of how much an item is newly taken, in what leads to it (challengers/timely.py)


@dataclass(frozen=True)
class Weights:
    """Of the parts of a score, each part scaled to a maximum of 1 for each person.

    `again`: what was bought and is due; `ease`: what one's own things lead to, in time; `collaborative`: factors;
    `neighbours`: items like one's own; `kinds`: newly taken, among the kinds of things one takes; `firsts`: newly taken
    by all; `popular`: with all.
    """

    again: float = 0.0
    ease: float = 0.0
    collaborative: float = 0.0
    neighbours: float = 0.0
    kinds: float = 0.0
    firsts: float = 0.0
    popular: float = 0.0


@dataclass(frozen=True)
class Blend:
    """Found by validation on the shop's own data. `repeat`: where what was bought may come again; else `discover`."""

    repeat: Weights = Weights(again=1.0, collaborative=0.1, popular=0.1)
    discover: Weights = Weights(collaborative=1.0, popular=0.3)


@dataclass(frozen=True)
class Recipe:
    """What a model is made with."""

    parameters: Parameters
    blend: Blend


def parameters_of(document: Mapping[str, Any]) -> Parameters:
    """Parameters as a manifest has them; what an earlier release did not write is as it is by default."""
    return Parameters(**{**document, "als": AlsParameters(**document["als"])})


def is_complete(document: Mapping[str, Any]) -> bool:
    """Whether a manifest's parameters say all that this release has settings for: an earlier one's do not."""
    return {setting.name for setting in fields(Parameters)} <= document.keys()


def blend_of(document: Mapping[str, Any]) -> Blend:
    """A blend as its manifest has it, also one of the first release's."""
    if "repeat" in document:
        return Blend(Weights(**document["repeat"]), Weights(**document["discover"]))
    collaborative, popular = document["repeat_collaborative"], document["repeat_popular"]
    repeat = Weights(again=1.0, collaborative=collaborative, popular=popular)
    return Blend(repeat, Weights(collaborative=1.0, popular=document["discover_popular"]))


def kind_weights() -> NDArray[np.float32]:
    """The weights as a table: kind_weights()[kinds] is the weight of each line."""
    table = np.zeros(max(Kind) + 1, dtype=np.float32)
    for kind, weight in KIND_WEIGHTS.items():
        table[kind] = weight
    return table
