"""The parts of a model, fitted to a history: tastes, factors, popularity."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain import als
from services.recommend.domain.histories import History
from services.recommend.domain.parameters import Parameters
from services.recommend.domain.popularity import popularity
from services.recommend.domain.tastes import Tastes, as_matrix, tastes

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Fitted:
    """`parameters` with the regularisation that was used; `tastes` keyed by person × items + item."""

    parameters: Parameters
    tastes: Tastes
    person_factors: Floats
    item_factors: Floats
    popularity: Floats
    pairs: int


def fit(history: History, parameters: Parameters) -> Fitted:
    """Fit every part. The same history and parameters give the same arrays. Raises als.TooLittleData."""
    learned = tastes(history.grouped(), parameters)
    affinity = as_matrix(learned.keys, learned.affinity, *history.shape)
    strength = als.regularization(affinity, parameters.regularization_strength)
    used = replace(parameters, als=replace(parameters.als, regularization=strength))
    people, items = als.fit(affinity, used.als)
    return Fitted(used, learned, people, items, lately_popular(history, parameters), int(affinity.nnz))


def lately_popular(history: History, parameters: Parameters) -> Floats:
    """Decayed popularity of each item, in [0, 1]."""
    days = parameters.popularity_half_life
    recent = tastes(history.grouped(), replace(parameters, affinity_half_life=days, frequency_half_life=days))
    return popularity(as_matrix(recent.keys, recent.affinity, *history.shape))
