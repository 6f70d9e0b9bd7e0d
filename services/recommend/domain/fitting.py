"""The parts of a model, fitted to a history: tastes, factors, neighbours, what is due, sessions, popularity."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from services.recommend.domain import als, repurchase, sessions
from services.recommend.domain.again import Again
from services.recommend.domain.challengers import timely, walks
from services.recommend.domain.content import warmed
from services.recommend.domain.described import Described
from services.recommend.domain.histories import History
from services.recommend.domain.interactions import Kind
from services.recommend.domain.kinds import Kinds
from services.recommend.domain.likeness import KEPT, Likeness
from services.recommend.domain.parameters import Parameters
from services.recommend.domain.popularity import newly_taken, popularity
from services.recommend.domain.sessions import Sessions
from services.recommend.domain.tastes import Tastes, as_matrix, tastes

Floats = NDArray[np.float32]

_FEWEST_PEOPLE: Final = 50  # fewer do not make a taste of a country
_MOST_COUNTRIES: Final = 30


@dataclass(frozen=True)
class Fitted:
    """`parameters` with the regularisation that was used; `tastes` keyed by person × items + item.

    `leads`: what each item leads to at any time; `ease`: the same times the `trend` of now to a power.
    """

    parameters: Parameters
    tastes: Tastes
    person_factors: Floats
    item_factors: Floats
    popularity: Floats
    popularity_by_country: dict[str, Floats]
    pairs: int
    likeness: Likeness
    leads: Likeness
    trend: Floats
    ease: Likeness
    fresh: Floats | None
    again: Again | None
    kinds: Kinds | None
    sessions: Sessions


def fit(
    history: History, parameters: Parameters, described: Described | None = None, known: Fitted | None = None
) -> Fitted:
    """Fit every part. The same history and parameters give the same arrays. Raises als.TooLittleData.

    `described`: what the catalogue says of the items; None: nothing. `known`: fitted to the same history with the same
    half-lives; its factors and neighbours are taken where they were made with the same parameters. Memory: some 16
    bytes for each pair of a person and an item three times over, factors, and 200 MB while neighbours are sought or
    EASE is solved.
    """
    learned = tastes(history.grouped(), parameters)
    affinity = as_matrix(learned.keys, learned.affinity, *history.shape)
    strength = als.regularization(affinity, parameters.regularization_strength)
    used = replace(parameters, als=replace(parameters.als, regularization=strength))
    if known is not None and known.parameters.als == used.als:
        people, items = known.person_factors, known.item_factors
    else:
        people, items = als.fit(affinity, used.als)
        items = _with_content(items, affinity, described)
    overall, by_country = lately_popular(history, parameters)
    fresh = _fresh(history)
    leads = known.leads if known is not None else Likeness.of(timely.likeness_of(_capped(affinity), KEPT))
    trend = _trend(fresh, affinity)
    return Fitted(
        parameters=used,
        tastes=learned,
        person_factors=people,
        item_factors=items,
        popularity=overall,
        popularity_by_country=by_country,
        pairs=int(affinity.nnz),
        likeness=_likeness(affinity, parameters, known),
        leads=leads,
        trend=trend,
        ease=leads.times(trend ** np.float32(parameters.trend_power)),
        fresh=fresh,
        again=repurchase.learn(history) if known is None else known.again,
        kinds=None if described is None else Kinds.of(described.groups(), _sums(affinity), fresh),
        sessions=sessions.learn(history) if known is None else known.sessions,
    )


def _likeness(affinity: sp.csr_matrix, parameters: Parameters, known: Fitted | None) -> Likeness:
    powers = parameters.walk_alpha, parameters.walk_beta
    if known is not None and powers == (known.parameters.walk_alpha, known.parameters.walk_beta):
        return known.likeness
    return Likeness.of(walks.likeness_of(affinity, KEPT, *powers))


def _capped(affinity: sp.csr_matrix) -> sp.csr_matrix:
    """What somebody takes again and again says no more of their taste."""
    return sp.csr_matrix((np.minimum(affinity.data, 1), affinity.indices, affinity.indptr), affinity.shape)


def _trend(fresh: Floats | None, affinity: sp.csr_matrix) -> Floats:
    """Of each item, how much it is newly taken; 1 where nothing has been sold yet."""
    if fresh is None:
        return np.ones(affinity.shape[1], dtype=np.float32)
    return timely.trend(fresh, np.bincount(affinity.indices, minlength=affinity.shape[1]))


def _with_content(items: Floats, affinity: sp.csr_matrix, described: Described | None) -> Floats:
    if described is None:
        return items
    return warmed(items, np.bincount(affinity.indices, minlength=affinity.shape[1]), described)


def _sums(affinity: sp.csr_matrix) -> Floats:
    return np.bincount(affinity.indices, weights=affinity.data, minlength=affinity.shape[1]).astype(np.float32)


def _fresh(history: History) -> Floats | None:
    """What those who did not have it bought lately; None in a shop that has sold nothing yet."""
    bought = history.lines.kinds == Kind.BOUGHT
    cells, ages = history.grouped().keys[bought], history.lines.ages[bought]
    order = np.lexsort((-ages, cells))
    cells, ages = cells[order], ages[order]
    first = np.flatnonzero(np.diff(cells, prepend=-1))
    if not len(first):
        return None
    shares = newly_taken(cells[first] % history.item_count, ages[first], *history.shape, timely.HALF_LIFE)
    return np.asarray(shares / shares.max(), dtype=np.float32)


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
