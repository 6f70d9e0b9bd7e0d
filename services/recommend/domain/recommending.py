"""Ranking: what is shown to whom, and why.

Each rule that forbids an item (off sale, excluded, filtered, bought before) is applied before the best are chosen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.catalogue import Catalogue, Mask
from services.recommend.domain.filters import Filter
from services.recommend.domain.model import Model
from services.recommend.domain.parameters import Parameters, Weights
from services.recommend.domain.parts import add_own, add_session
from services.recommend.domain.ranking import best, block
from services.recommend.domain.scoring import Products, Scores, weighed
from services.recommend.domain.sessions import live_items
from services.recommend.domain.strategies import Strategy
from services.recommend.domain.tastes import Lines, Tastes, tastes, tastes_of_many
from services.recommend.domain.wishes import Answer, Reason, Shortfall, Visitor, Wish

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]

_TINY: Final = 1e-12
_NEAR: Final = np.float32(10)  # more than all parts of a score together
_NOTHING_LEARNED: Final = 1e-3  # a wanted item's target is 1: a best score below this is noise
_OF_THE_MOMENT: Final = 0.3  # at least so much do factors weigh where there is a moment: what is looked at must count
_TINY_SCORE: Final = 1e-5
_SAME_CATEGORY: Final = np.float32(0.5)
_POPULAR: Final = np.float32(0.4)  # a popular item of another category never passes one of the same
_BLOCK: Final = 64
_CLOSE: Final = 0.3  # cosines below this are chance


def recommend(model: Model | None, catalogue: Catalogue, visitor: Visitor, wish: Wish) -> Answer:
    """The best items for a visitor at this moment: exactly `wish.n`, or a stated shortfall."""
    return recommend_many(model, catalogue, [visitor], wish)[0]


def recommend_many(model: Model | None, catalogue: Catalogue, visitors: Sequence[Visitor], wish: Wish) -> list[Answer]:
    """The same for many people with one wish, each exactly as alone.

    The collaborative scores are one matrix product for some people at a time: the factors pass through memory once for
    all of them. Memory: 64 × items × 4 bytes.
    """
    closed = _closed(catalogue, wish)
    if model is None:
        return [_newest(catalogue, visitor, wish, closed) for visitor in visitors]
    moment = moment_of(model, wish)
    near = None if wish.near is None else catalogue.mask(Filter(categories=(wish.near,)))
    answers = []
    for start in range(0, len(visitors), _BLOCK):
        people = _people(model, visitors[start : start + _BLOCK], moment, wish)
        for one, products in zip(people, products_of(model, len(catalogue), people), strict=True):
            scores = scores_of(model, one, products, wish)
            if near is not None:
                scores.total[near] += _NEAR
            _block(scores.total, closed, one.tastes, wish)
            chosen, total = scores.best(wish.n)
            if near is not None:
                total -= _NEAR * near[chosen]
            reasons = reasons_of(model, one, chosen, total, wish)
            answers.append(Answer(one.strategy, chosen, total, reasons, _shortfall(catalogue, wish, len(chosen))))
    return answers


@dataclass(slots=True)
class Person:
    """What is known of somebody and their moment, and how their answer is made.

    `factors` None: the model knows nothing of them, or factors weigh nothing here.
    """

    lines: Lines
    tastes: Tastes
    country: str | None
    factors: Floats | None
    strategy: Strategy
    session: Keys
    moment: Keys


def person_of(model: Model, visitor: Visitor, wish: Wish) -> Person:
    """What is known of a visitor."""
    return _people(model, [visitor], moment_of(model, wish), wish)[0]


def _people(model: Model, visitors: Sequence[Visitor], moment: Floats | None, wish: Wish) -> list[Person]:
    found = tastes_of_many([visitor.lines for visitor in visitors], model.parameters)
    items = np.asarray(wish.moment(), dtype=np.int64)
    if moment is None and weights_of(model, wish).collaborative == 0:
        known = [model.knows(now.keys, now.affinity) for now in found]
        return [
            _person(visitor, now, None, Strategy.FOR_YOU if one else Strategy.POPULAR, items)
            for visitor, now, one in zip(visitors, found, known, strict=True)
        ]
    factors = model.people([(now.keys, now.affinity) for now in found])
    alone = Strategy.POPULAR if moment is None else Strategy.SESSION
    return [
        _person(visitor, now, _joined(own, moment), alone if own is None else Strategy.FOR_YOU, items)
        for visitor, now, own in zip(visitors, found, factors, strict=True)
    ]


def _person(visitor: Visitor, now: Tastes, factors: Floats | None, strategy: Strategy, moment: Keys) -> Person:
    return Person(visitor.lines, now, visitor.country, factors, strategy, live_items(visitor.lines), moment)


def products_of(model: Model, size: int, people: Sequence[Person]) -> Iterator[Products]:
    """For each person their factors times those of each item, by item key; zeros where there are none."""
    known = min(size, len(model))
    factors = [one.factors for one in people if one.factors is not None]
    several = iter(np.stack(factors) @ model.item_factors[:known].T if len(factors) > 1 else ())
    for one in people:
        if one.factors is None:
            yield Products(model.item_factors, None, np.zeros(size, dtype=np.float32))
        elif len(factors) > 1:
            values = np.zeros(size, dtype=np.float32)
            values[:known] = next(several)
            yield Products(model.item_factors, one.factors, values)
        else:
            yield Products.of(model.item_factors, model.codes, one.factors, size)


def scores_of(model: Model, one: Person, products: Products, wish: Wish) -> Scores:
    """The weighted sum of all parts."""
    weights = weights_of(model, wish)
    highest = products.highest() if one.factors is not None else 0.0
    scale = 1 / highest if highest > _NOTHING_LEARNED else 0.0
    lean = weights.collaborative if not len(one.moment) else max(weights.collaborative, _OF_THE_MOMENT)
    weight = scale * lean
    total = weighed(products.values, weight, model.lift(one.country, repeat=not wish.exclude_seen))
    add_own(total, model, one.lines, one.tastes, one.moment, weights)
    add_session(total, model, one.session)
    return Scores(products, total, weight)


def weights_of(model: Model, wish: Wish) -> Weights:
    """Those for what is new to the person, or for what may come again."""
    return model.blend.discover if wish.exclude_seen else model.blend.repeat


def moment_of(model: Model, wish: Wish) -> Floats | None:
    """The factors of what is looked at and in the cart; None where there is nothing the model knows."""
    keys = wish.moment()
    if not keys:
        return None
    return model.person(np.asarray(keys, dtype=np.int64), np.ones(len(keys), dtype=np.float32))


def _joined(person: Floats | None, moment: Floats | None) -> Floats | None:
    """History and moment weigh the same, however long the history is."""
    if person is None or moment is None:
        return person if moment is None else moment
    scale = float(np.linalg.norm(person)) / max(float(np.linalg.norm(moment)), _TINY)
    return (person + moment * np.float32(scale)).astype(np.float32)


def _closed(catalogue: Catalogue, wish: Wish) -> Keys:
    """Items that are out for everybody with this wish: off sale, filtered out, excluded, of the moment."""
    closed = catalogue.closed(wish.kinds)
    if wish.is_open:
        return closed
    named = np.asarray([*wish.exclude, *wish.moment()], dtype=np.int64)
    outside = np.flatnonzero(~_matching(catalogue, wish)) if wish.only or wish.where else named[:0]
    return np.concatenate([closed, outside, named[named < len(catalogue)]])


def _matching(catalogue: Catalogue, wish: Wish) -> Mask:
    """Items that the filter and the expressions let through."""
    mask = catalogue.mask(wish.only)
    for expression in wish.where:
        mask = mask & catalogue.matching(expression, wish.at)
    return mask


def _block(scores: Floats, closed: Keys, now: Tastes, wish: Wish) -> None:
    """Put what a rule forbids out of reach."""
    block(scores, closed)
    if wish.exclude_seen:
        block(scores, now.keys[now.bought])


def reasons_of(model: Model, one: Person, chosen: Keys, scores: Floats, wish: Wish) -> list[Reason]:
    """For each chosen item, with its total score, the part of it that weighs most.

    That is what speaks to this person, in sum, or what is the same for everybody.
    """
    lift = model.lift(one.country, repeat=not wish.exclude_seen)
    own = frozenset() if wish.exclude_seen else frozenset(one.tastes.keys[one.tastes.frequency > 0].tolist())
    found = []
    for key, score in zip(chosen.tolist(), scores.tolist(), strict=True):
        common = lift.item(key) if key < len(lift) else 0.0
        if key in own:
            found.append(Reason.BUY_AGAIN)
        elif score - common > max(common, _TINY_SCORE):
            found.append(wish.liked)
        else:
            found.append(Reason.POPULAR if common > 0 else Reason.NEW)
    return found


def _newest(catalogue: Catalogue, visitor: Visitor, wish: Wish, closed: Keys) -> Answer:
    """Before the first model: what came to the shop last."""
    scores = catalogue.newness.copy()
    _block(scores, closed, tastes(visitor.lines, Parameters()), wish)
    chosen = best(scores, wish.n)
    nothing = np.zeros(len(chosen), dtype=np.float32)
    missing = _shortfall(catalogue, wish, len(chosen))
    return Answer(Strategy.NEW_ARRIVALS, chosen, nothing, [Reason.NEW] * len(chosen), missing)


def likeness(model: Model | None, catalogue: Catalogue, key: int) -> Floats:
    """How like one item each is: 1 and its cosine where their factors are close, else by category; 0: not like it."""
    alike = catalogue.same_category(key) if catalogue.items[key].category else np.zeros(len(catalogue), dtype=bool)
    scores = np.where(alike, _SAME_CATEGORY, np.float32(0))
    known = 0 if model is None else min(len(model), len(catalogue))
    if model is not None and key < known and model.lengths[key] > 0:
        products = model.item_factors[:known] @ model.item_factors[key]
        cosines = products / np.maximum(model.lengths[:known] * model.lengths[key], _TINY)
        scores[:known] = np.where(cosines > _CLOSE, cosines + 1, scores[:known])
    return scores


def similar(model: Model | None, catalogue: Catalogue, key: int, n: int) -> Answer:
    """Items like one item: by the cosine of their factors, then popular ones of its category, then of the shop."""
    scores = likeness(model, catalogue, key)
    if model is not None:
        known = min(len(model), len(catalogue))
        scores[:known] += np.where(scores[:known] < 1, model.popularity[:known] * _POPULAR, 0)
    wish = Wish(n, looked_at=key)
    block(scores, _closed(catalogue, wish))
    chosen = best(scores, wish.n)
    reasons = [Reason.SIMILAR if score >= _SAME_CATEGORY else Reason.POPULAR for score in scores[chosen].tolist()]
    return Answer(Strategy.SIMILAR, chosen, scores[chosen], reasons, _shortfall(catalogue, wish, len(chosen)))


def _shortfall(catalogue: Catalogue, wish: Wish, returned: int) -> Shortfall | None:
    if returned >= wish.n:
        return None
    shown = catalogue.shown(wish.kinds)
    matching = int((shown & _matching(catalogue, wish)).sum())
    return Shortfall(
        requested=wish.n,
        returned=returned,
        in_catalogue=len(catalogue),
        on_sale=int(shown.sum()),
        match_filter=matching,
        in_price_band=matching,
        not_excluded=returned,
        proposed=returned,
    )
