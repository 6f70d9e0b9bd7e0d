"""How good a recipe is on the shop's own data: what it learns before a cut must foretell what was bought after it.

A recipe is what a model is made with: parameters and a blend. Every item of the catalogue is ranked, none sampled, by
the same functions that serve. Nothing from after the cut is seen by what is judged. What is found on some people is
judged on others, who are more.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain import metrics, parts
from services.recommend.domain.fitting import Fitted
from services.recommend.domain.histories import History
from services.recommend.domain.interactions import Kind
from services.recommend.domain.model import Model
from services.recommend.domain.parameters import Blend, Weights
from services.recommend.domain.ranking import best
from services.recommend.domain.tastes import Lines, Tastes

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]
T = TypeVar("T")

LONGEST_DAYS: Final = 28.0
LARGEST_SHARE: Final = 0.2  # of the time the data span
MOST_PEOPLE: Final = 1_500
FEWEST_PEOPLE: Final = 50
CUTS: Final = (10, 20)
_CANDIDATES: Final = 100
_TINY: Final = 1e-12
_GRID: Final = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
_NEXT_BASKET: Final = ("ease", "collaborative", "neighbours", "kinds", "firsts", "popular")  # `again` weighs 1
_NEAR: Final = ("collaborative", "ease", "neighbours", "kinds")  # whose best items are candidates


@dataclass(frozen=True)
class Person:
    """Someone who bought before and after the cut, and the parts of the scores of the items that may be ranked high.

    `basket`: what was in the first purchase after the cut; `fresh`: all that was bought after it and never before.
    """

    number: int
    keys: Keys
    parts: Mapping[str, Floats]
    had: NDArray[np.bool_]
    basket: frozenset[int]
    fresh: frozenset[int]

    def changed(self, part: str, factors: Floats) -> "Person":
        """The same with the scores of one part multiplied, each item's by its own factor."""
        changed = self.parts[part] * factors[self.keys]
        return replace(self, parts={**self.parts, part: changed / max(float(changed.max(initial=0)), _TINY)})

    def ranked(self, weights: Weights, purpose: "Purpose") -> list[int]:
        """Their best items, best first."""
        given = {name: weight for name, weight in asdict(weights).items() if weight > 0}
        total = np.zeros(len(self.keys), dtype=np.float32)
        for name, weight in given.items():
            total += np.float32(weight) * self.parts[name]
        if not purpose.repeats:
            total[self.had] = -np.inf
        found: list[int] = self.keys[best(total, CUTS[-1])].tolist()
        return found


@dataclass(frozen=True)
class Purpose:
    """What a blend is for; `wanted` names what of a Person it must foretell, `cut` how many places count."""

    name: str
    wanted: str
    repeats: bool
    cut: int

    def asked(self, people: Sequence[Person]) -> list[Person]:
        """Those of whom there is something to foretell."""
        return [person for person in people if getattr(person, self.wanted)]

    def quality(self, people: Sequence[Person], weights: Weights) -> NDArray[np.float64]:
        """NDCG of each of those asked."""
        return np.array(
            [metrics.ndcg(one.ranked(weights, self), getattr(one, self.wanted), self.cut) for one in people]
        )


REPEAT: Final = Purpose("next_basket", "basket", repeats=True, cut=10)
DISCOVER: Final = Purpose("new_items", "fresh", repeats=False, cut=20)


def held_out(history: History) -> tuple[History, History, float]:
    """What was known before the cut, what came after it, and the days between the cut and now."""
    days = min(LONGEST_DAYS, LARGEST_SHARE * float(history.lines.ages.max(initial=0)))
    return history.before(days), history.since(days), days


def people_of(past: History, future: History, fitted: Fitted) -> list[Person]:
    """At most MOST_PEOPLE, evenly spread, each with lines before and purchases after the cut."""
    return list(_people(past, future, fitted)) if len(past) and len(future) else []


def parted(people: Sequence[Person], tuners: Keys) -> tuple[list[Person], list[Person]]:
    """Those to tune on (`tuners`: their numbers) and those to judge by, who are as many at least.

    Where the tuners are too few or too many, a third of all takes their place, 50 at least; below 100 people everybody
    tunes and judges.
    """
    if len(people) < 2 * FEWEST_PEOPLE:
        return list(people), list(people)
    chosen = np.isin([one.number for one in people], tuners)
    if not FEWEST_PEOPLE <= chosen.sum() <= len(people) / 2:
        chosen = np.zeros(len(people), dtype=bool)
        chosen[np.linspace(0, len(people) - 1, max(FEWEST_PEOPLE, len(people) // 3)).astype(np.int64)] = True
    tune, judge = ([one for one, yes in zip(people, mask, strict=True) if yes] for mask in (chosen, ~chosen))
    return tune, judge


def choose_blend(people: Sequence[Person]) -> Blend:
    """The blend with the best NDCG after the cut; the default weights where too few people bought."""
    blend = Blend()
    repeat, discover = REPEAT.asked(people), DISCOVER.asked(people)
    if len(repeat) >= FEWEST_PEOPLE:
        blend = replace(blend, repeat=_ascended(repeat, REPEAT, Weights(again=1.0), _NEXT_BASKET))
    if len(discover) >= FEWEST_PEOPLE:
        alone = {name: DISCOVER.quality(discover, replace(Weights(), **{name: 1.0})) for name in _NEXT_BASKET}
        first = simplest_best(alone)
        others = [name for name in _NEXT_BASKET if name != first]
        blend = replace(blend, discover=_ascended(discover, DISCOVER, replace(Weights(), **{first: 1.0}), others))
    return blend


def figures(people: Sequence[Person], blend: Blend, fitted: Fitted) -> dict[str, Any]:
    """For each purpose the blend and each part alone: recall and NDCG with 95 % intervals, coverage and novelty."""
    found: dict[str, Any] = {}
    for purpose, weights in ((REPEAT, blend.repeat), (DISCOVER, blend.discover)):
        asked = purpose.asked(people)
        if len(asked) < FEWEST_PEOPLE:
            continue
        alone = {name: replace(Weights(), **{name: 1.0}) for name in asdict(weights)}
        if not purpose.repeats:
            del alone["again"]
        models = {"blend": weights, **alone}
        measured = {name: _summary(asked, purpose, some, fitted) for name, some in models.items()}
        found[purpose.name] = {"people": len(asked), "models": measured}
    return found


def gain(mine: Sequence[Person], my_blend: Blend, theirs: Sequence[Person], their_blend: Blend) -> dict[str, Any]:
    """What one recipe has over another, the same people in the same order: NDCG's difference and its standard error."""
    found: dict[str, Any] = {}
    for purpose, my_weights, their_weights in (
        (REPEAT, my_blend.repeat, their_blend.repeat),
        (DISCOVER, my_blend.discover, their_blend.discover),
    ):
        pairs = [(one, other) for one, other in zip(mine, theirs, strict=True) if getattr(one, purpose.wanted)]
        if len(pairs) < FEWEST_PEOPLE:
            continue
        ours = purpose.quality([one for one, _ in pairs], my_weights)
        difference = ours - purpose.quality([other for _, other in pairs], their_weights)
        error = float(difference.std(ddof=1) / np.sqrt(len(difference)))
        found[purpose.name] = {"difference": _rounded(difference.mean()), "standard_error": _rounded(error)}
    return found


def _people(past: History, future: History, fitted: Fitted) -> Iterable[Person]:
    model = model_of(fitted)
    bought = future.lines.kinds == Kind.BOUGHT
    chosen = np.intersect1d(past.people, future.people[bought])
    if len(chosen) > MOST_PEOPLE:
        chosen = chosen[np.linspace(0, len(chosen) - 1, MOST_PEOPLE).astype(np.int64)]
    order = np.flatnonzero(bought)
    order = order[np.argsort(future.people[order], kind="stable")]
    bounds = np.searchsorted(future.people[order], np.stack([chosen, chosen + 1]))
    everybodys = [best(part, _CANDIDATES) for part in (model.popularity, model.fresh) if part is not None]
    own = _Own(past)
    for person, first, last in zip(chosen.tolist(), *bounds.tolist(), strict=True):
        keys, ages = future.lines.keys[order[first:last]], future.lines.ages[order[first:last]]
        now = _tastes_of(fitted.tastes, person, past.item_count)
        whole = _parts(model, fitted.person_factors[person], own.lines(person), now)
        count = _CANDIDATES + int(now.bought.sum())
        near = [best(whole[name], count) for name in _NEAR]
        candidates = np.unique(np.concatenate([now.keys, *everybodys, *near]))
        had = np.isin(candidates, now.keys[now.bought])
        scaled = {name: part[candidates] / max(float(part.max()), _TINY) for name, part in whole.items()}
        basket, fresh = keys[ages == ages.max()].tolist(), set(keys.tolist()) - set(now.keys[now.bought].tolist())
        yield Person(person, candidates, scaled, had, frozenset(basket), frozenset(fresh))


def model_of(fitted: Fitted, blend: Blend | None = None) -> Model:
    """What was fitted, as it would serve."""
    return Model(
        version="",
        as_of=datetime.min.replace(tzinfo=UTC),
        item_factors=fitted.item_factors,
        popularity=fitted.popularity,
        parameters=fitted.parameters,
        blend=blend or Blend(),
        likeness=fitted.likeness,
        ease=fitted.ease,
        fresh=fitted.fresh,
        again=fitted.again,
        kinds=fitted.kinds,
        sessions=fitted.sessions,
    )


def _tastes_of(everybody: Tastes, person: int, size: int) -> Tastes:
    own = slice(*np.searchsorted(everybody.keys, [person * size, (person + 1) * size]))
    columns = everybody.affinity[own], everybody.frequency[own], everybody.lately[own], everybody.bought[own]
    return Tastes(everybody.keys[own] - person * size, *columns)


class _Own:
    """Each person's lines."""

    def __init__(self, history: History) -> None:
        order = np.argsort(history.people, kind="stable")
        self._lines = history.lines.some(order)
        self._starts = np.searchsorted(history.people[order], np.arange(history.person_count + 1)).tolist()

    def lines(self, person: int) -> Lines:
        return self._lines.some(slice(self._starts[person], self._starts[person + 1]))


def _parts(model: Model, factors: Floats, lines: Lines, now: Tastes) -> dict[str, Floats]:
    """Of every item, as parts.py adds them up."""
    size, nothing = len(model), np.zeros(len(model), dtype=np.float32)
    again = nothing.copy()
    again[now.keys] = parts.again(model, lines, now)
    likeness = model.likeness
    return {
        "again": again,
        "ease": parts.of_ease(model, now, now.keys[:0], size),
        "collaborative": model.item_factors @ factors,
        "neighbours": nothing if likeness is None else likeness.reached(now.keys, now.affinity, size),
        "kinds": parts.of_kinds(model, now),
        "firsts": nothing if model.fresh is None else model.fresh,
        "popular": model.popularity,
    }


def _ascended(people: Sequence[Person], purpose: Purpose, start: Weights, names: Sequence[str]) -> Weights:
    """The weights of `names`, one after the other, twice over."""
    weights = start
    for name in (*names, *names):
        tried = {weight: replace(weights, **{name: weight}) for weight in _GRID}
        weights = tried[simplest_best({weight: purpose.quality(people, some) for weight, some in tried.items()})]
    return weights


def simplest_best(scores: dict[T, NDArray[np.float64]]) -> T:
    """The first (the grids begin with the smallest weights) that is not surely worse than the best.

    Not surely: within half a standard error of the difference, person by person. Weights that gain nothing are not
    taken, least of all that of popularity, which shows everybody the same.
    """
    top = scores[max(scores, key=lambda weights: float(scores[weights].mean()))]
    for weights, values in scores.items():
        lost = top - values
        if lost.mean() <= 0.5 * lost.std(ddof=1) / np.sqrt(len(lost)):
            return weights
    raise AssertionError("the best is not worse than itself")


def _summary(asked: Sequence[Person], purpose: Purpose, weights: Weights, fitted: Fitted) -> dict[str, float]:
    lists = [one.ranked(weights, purpose) for one in asked]
    wanted = [getattr(one, purpose.wanted) for one in asked]
    found: dict[str, float] = {}
    kinds: tuple[tuple[str, Callable[..., float]], ...] = (("recall", metrics.recall), ("ndcg", metrics.ndcg))
    for cut in CUTS:
        for name, measure in kinds:
            values = np.array([measure(top, some, cut) for top, some in zip(lists, wanted, strict=True)])
            found[f"{name}@{cut}"] = _rounded(values.mean())
            found[f"{name}@{cut}_±"] = _rounded(1.96 * values.std() / np.sqrt(len(values)))
    shown = np.concatenate([np.asarray(top[: CUTS[0]], dtype=np.int64) for top in lists])
    people = max(len(fitted.person_factors), 1)
    takers = np.bincount(fitted.tastes.keys % len(fitted.popularity), minlength=len(fitted.popularity))
    found["coverage@10"] = _rounded(len(np.unique(shown)) / max(len(fitted.popularity), 1))
    found["novelty@10"] = _rounded(-np.log2((takers[shown] + 1) / (people + 1)).mean())
    return found


def _rounded(value: Any) -> float:
    return round(float(value), 5)
