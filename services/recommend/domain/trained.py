"""What a training makes, before it is an artefact."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.again import Again
from services.recommend.domain.kinds import Kinds
from services.recommend.domain.likeness import Likeness
from services.recommend.domain.parameters import Blend, Parameters, Recipe
from services.recommend.domain.sessions import Sessions


@dataclass(frozen=True)
class Trained:
    """What a run made: arrays by item key, what it was made with, and figures for the registry.

    `beaten`: the figures of a recipe that was tried and did not beat the champion's, and what it was.
    """

    item_factors: NDArray[np.float32]
    popularity: NDArray[np.float32]
    popularity_by_country: dict[str, NDArray[np.float32]]
    parameters: Parameters
    blend: Blend
    figures: dict[str, Any]
    likeness: Likeness | None = None
    ease: Likeness | None = None
    fresh: NDArray[np.float32] | None = None
    again: Again | None = None
    kinds: Kinds | None = None
    sessions: Sessions | None = None
    beaten: tuple[Recipe, dict[str, Any]] | None = None
