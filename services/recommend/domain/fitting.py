"""The parts of a model, fitted to a history: tastes, factors, popularity."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain import als
from services.recommend.domain.histories import History
from services.recommend.domain.parameters import Parameters
from services.recommend.domain.popularity import popularity
from services.recommend.domain.tastes import Tastes, as_matrix, tastes

Floats = NDArray[np.float32]

_FEWEST_PEOPLE: Final = 50  # fewer do not make a taste of a country
_MOST_COUNTRIES: Final = 30


@dataclass(frozen=True)
class Fitted:
    """`parameters` with the regularisation that was used; `tastes` keyed by person × items + item."""

    parameters: Parameters
    tastes: Tastes
    person_factors: Floats
    item_factors: Floats
    popularity: Floats
    popularity_by_country: dict[str, Floats]
    pairs: int


def fit(history: History, parameters: Parameters) -> Fitted:
    """Fit every part. The same history and parameters give the same arrays. Raises als.TooLittleData."""
    learned = tastes(history.grouped(), parameters)
    affinity = as_matrix(learned.keys, learned.affinity, *history.shape)
    strength = als.regularization(affinity, parameters.regularization_strength)
    used = replace(parameters, als=replace(parameters.als, regularization=strength))
    people, items = als.fit(affinity, used.als)
    overall, by_country = lately_popular(history, parameters)
    return Fitted(used, learned, people, items, overall, by_country, int(affinity.nnz))


def lately_popular(history: History, parameters: Parameters) -> tuple[Floats, dict[str, Floats]]:
    """Decayed popularity of each item, in [0, 1]: in all, and in each of the countries with enough people."""
    days = parameters.popularity_half_life
    recent = tastes(history.grouped(), replace(parameters, affinity_half_life=days, frequency_half_life=days))
    interest = as_matrix(recent.keys, recent.affinity, *history.shape)
    large = sorted(history.countries, key=lambda country: len(history.countries[country]), reverse=True)
    return popularity(interest), {
        country: popularity(interest[history.countries[country]])
        for country in large[:_MOST_COUNTRIES]
        if len(history.countries[country]) >= _FEWEST_PEOPLE
    }
