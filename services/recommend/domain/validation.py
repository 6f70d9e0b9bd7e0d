"""Choosing the blend on the shop's own data: what was learned before a cut must foretell what was bought after it.

Every item of the catalogue is ranked, none sampled. Nothing from after the cut is seen by what is judged.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain import fitting, metrics
from services.recommend.domain.histories import History
from services.recommend.domain.interactions import Kind
from services.recommend.domain.parameters import Blend, Parameters
from services.recommend.domain.ranking import best

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]
T = TypeVar("T")

LONGEST_DAYS: Final = 28.0
LARGEST_SHARE: Final = 0.2  # of the time the data span
MOST_PEOPLE: Final = 800
FEWEST_PEOPLE: Final = 50
_ITERATIONS: Final = 5
_CANDIDATES: Final = 150
_TINY: Final = 1e-12
_REPEAT: Final = tuple(product((0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0), (0.0, 0.02, 0.05, 0.1, 0.2)))
_DISCOVER: Final = (0.0, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0)


@dataclass(frozen=True)
class Person:
    """Someone who bought before and after the cut, and the parts of the scores of the items that may be ranked high.

    Parts are scaled to a maximum of 1. `basket`: what was in the first purchase after the cut; `fresh`: all that was
    bought after it and never before.
    """

    keys: Keys
    frequency: Floats
    collaborative: Floats
    popular: Floats
    basket: frozenset[int]
    fresh: frozenset[int]


def choose_blend(history: History, parameters: Parameters) -> tuple[Blend, dict[str, Any]]:
    """The blend with the best NDCG after the cut, and the evidence; the default blend where too few people bought."""
    days = min(LONGEST_DAYS, LARGEST_SHARE * float(history.lines.ages.max(initial=0)))
    past, future = history.before(days), history.since(days)
    people = list(_people(past, future, parameters)) if len(past) and len(future) else []
    repeat = [person for person in people if person.basket]
    discover = [person for person in people if person.fresh]
    blend = Blend()
    figures: dict[str, Any] = {"days_held_out": days, "people": len(people)}
    if len(repeat) >= FEWEST_PEOPLE:
        scores = {weights: _quality(repeat, _repeated(*weights), "basket", 10) for weights in _REPEAT}
        collaborative, popular = _simplest_best(scores)
        blend = replace(blend, repeat_collaborative=collaborative, repeat_popular=popular)
        figures["next_basket_ndcg_10"] = {
            "blend": _mean(scores[collaborative, popular]),
            "frequency": _mean(scores[0.0, 0.0]),
            "collaborative": _mean(_quality(repeat, lambda one: one.collaborative, "basket", 10)),
            "popular": _mean(_quality(repeat, lambda one: one.popular, "basket", 10)),
        }
    if len(discover) >= FEWEST_PEOPLE:
        found = {weight: _quality(discover, _discovered(weight), "fresh", 20) for weight in _DISCOVER}
        blend = replace(blend, discover_popular=_simplest_best(found))
        figures["new_items_ndcg_20"] = {
            "blend": _mean(found[blend.discover_popular]),
            "collaborative": _mean(found[0.0]),
            "popular": _mean(_quality(discover, lambda one: _unseen(one, one.popular), "fresh", 20)),
        }
    return blend, figures


def _people(past: History, future: History, parameters: Parameters) -> Iterable[Person]:
    """At most MOST_PEOPLE, evenly spread, each with lines before and purchases after the cut."""
    quick = replace(parameters, als=replace(parameters.als, iterations=_ITERATIONS))
    fitted = fitting.fit(past, quick)
    popular_best = best(fitted.popularity, _CANDIDATES)
    bought = future.lines.kinds == Kind.BOUGHT
    chosen = np.intersect1d(past.people, future.people[bought])
    if len(chosen) > MOST_PEOPLE:
        chosen = chosen[np.linspace(0, len(chosen) - 1, MOST_PEOPLE).astype(np.int64)]
    size = past.item_count
    order = np.flatnonzero(bought)
    order = order[np.argsort(future.people[order], kind="stable")]
    bounds = np.searchsorted(future.people[order], np.stack([chosen, chosen + 1]))
    for person, first, last in zip(chosen.tolist(), *bounds.tolist(), strict=True):
        keys, ages = future.lines.keys[order[first:last]], future.lines.ages[order[first:last]]
        own = slice(*np.searchsorted(fitted.tastes.keys, [person * size, (person + 1) * size]))
        known, frequency = fitted.tastes.keys[own] - person * size, fitted.tastes.frequency[own]
        scores = fitted.item_factors @ fitted.person_factors[person]
        candidates = np.unique(np.concatenate([known, best(scores, _CANDIDATES + len(known)), popular_best]))
        often = np.zeros(len(candidates), dtype=np.float32)
        often[np.searchsorted(candidates, known)] = frequency
        yield Person(
            keys=candidates,
            frequency=often / max(float(often.max()), _TINY),
            collaborative=scores[candidates] / max(float(scores.max()), _TINY),
            popular=fitted.popularity[candidates],
            basket=frozenset(keys[ages == ages.max()].tolist()),
            fresh=frozenset(keys.tolist()) - frozenset(known[frequency > 0].tolist()),
        )


def _repeated(collaborative: float, popular: float) -> Callable[[Person], Floats]:
    c, p = np.float32(collaborative), np.float32(popular)
    return lambda one: one.frequency + c * one.collaborative + p * one.popular


def _discovered(popular: float) -> Callable[[Person], Floats]:
    p = np.float32(popular)
    return lambda one: _unseen(one, one.collaborative + p * one.popular)


def _unseen(one: Person, scores: Floats) -> Floats:
    return np.where(one.frequency > 0, np.float32(-np.inf), scores)


def _quality(people: list[Person], score: Callable[[Person], Floats], wanted: str, k: int) -> NDArray[np.float64]:
    """NDCG at `k` of each person."""
    return np.array([metrics.ndcg(one.keys[best(score(one), k)].tolist(), getattr(one, wanted), k) for one in people])


def _simplest_best(scores: dict[T, NDArray[np.float64]]) -> T:
    """The first (the grids begin with the smallest weights) that is not surely worse than the best.

    Not surely: within one standard error of the difference, person by person. Weights that gain nothing are not taken,
    least of all that of popularity, which shows everybody the same.
    """
    top = scores[max(scores, key=lambda weights: float(scores[weights].mean()))]
    for weights, values in scores.items():
        lost = top - values
        if lost.mean() <= lost.std(ddof=1) / np.sqrt(len(lost)):
            return weights
    raise AssertionError("the best is not worse than itself")


def _mean(values: NDArray[np.float64]) -> float:
    return round(float(values.mean()), 5)
