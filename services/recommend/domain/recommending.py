"""Ranking: what is shown to whom, and why.

Each rule that forbids an item (off sale, excluded, filtered, bought before) is applied before the best are chosen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.catalogue import Catalogue
from services.recommend.domain.filters import Filter
from services.recommend.domain.model import Model
from services.recommend.domain.parameters import Parameters
from services.recommend.domain.ranking import BLOCKED, best
from services.recommend.domain.tastes import EMPTY, Tastes, tastes
from services.recommend.domain.wishes import Answer, Reason, Shortfall, Strategy, Visitor, Wish

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]

_TINY: Final = 1e-12
_NEAR: Final = np.float32(10)  # more than all parts of a score together
_NOTHING_LEARNED: Final = 1e-3  # a wanted item's target is 1: a best score below this is noise
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
    moment = _moment(model, wish)
    near = None if wish.near is None else catalogue.mask(Filter(categories=(wish.near,)))
    answers = []
    for start in range(0, len(visitors), _BLOCK):
        people = [_person(model, visitor, moment) for visitor in visitors[start : start + _BLOCK]]
        for one, products in zip(people, _products(model, len(catalogue), people), strict=True):
            total = _total(model, one, products, wish)
            if near is not None:
                total[near] += _NEAR
            chosen = _chosen(total, closed, one.tastes, wish)
            scores = total[chosen]
            if near is not None:
                scores -= _NEAR * near[chosen]
            reasons = _reasons(model, one, chosen, wish)
            answers.append(Answer(one.strategy, chosen, scores, reasons, _shortfall(catalogue, wish, len(chosen))))
    return answers


@dataclass(slots=True)
class _Person:
    """Tastes, country, factors (None: the model knows nothing of them), and how their answer is made."""

    tastes: Tastes
    country: str | None
    factors: Floats | None
    strategy: Strategy


def _person(model: Model, visitor: Visitor, moment: Floats | None) -> _Person:
    now = tastes(visitor.lines, model.parameters)
    own = model.person(now.keys, now.affinity)
    if own is not None:
        return _Person(now, visitor.country, _joined(own, moment), Strategy.FOR_YOU)
    return _Person(now, visitor.country, moment, Strategy.POPULAR if moment is None else Strategy.SESSION)


def _products(model: Model, size: int, people: Sequence[_Person]) -> Iterator[Floats]:
    """For each person their factors times those of each item, by item key; zeros where there are none."""
    known = min(size, len(model))
    if len(people) == 1:
        products = np.zeros((1, size), dtype=np.float32)
        if people[0].factors is not None:
            np.matmul(model.item_factors[:known], people[0].factors, out=products[0, :known])
    else:
        nothing = np.zeros(model.item_factors.shape[1], dtype=np.float32)
        factors = np.stack([nothing if one.factors is None else one.factors for one in people])
        products = np.zeros((len(people), size), dtype=np.float32)
        products[:, :known] = factors @ model.item_factors[:known].T
    yield from products


def _total(model: Model, one: _Person, products: Floats, wish: Wish) -> Floats:
    """The weighted sum of all parts, in place of `products`. Scales the person's factors as it does the products."""
    if one.factors is not None:
        highest = float(products.max(initial=0))
        scale = np.float32(1 / highest if highest > _NOTHING_LEARNED else 0)
        one.factors = one.factors * scale
        products *= scale if wish.exclude_seen else scale * np.float32(model.blend.repeat_collaborative)
    known = min(len(products), len(model))
    products[:known] += model.lift(one.country, repeat=not wish.exclude_seen)[:known]
    frequency = one.tastes.frequency[: np.searchsorted(one.tastes.keys, len(products))]
    if not wish.exclude_seen and len(frequency):
        products[one.tastes.keys[: len(frequency)]] += frequency / max(float(frequency.max()), _TINY)
    return products


def _moment(model: Model, wish: Wish) -> Floats | None:
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
    named = np.asarray([*wish.exclude, *wish.moment()], dtype=np.int64)
    outside = np.flatnonzero(~catalogue.mask(wish.only)) if wish.only else named[:0]
    return np.concatenate([catalogue.off_sale, outside, named[named < len(catalogue)]])


def _chosen(scores: Floats, closed: Keys, now: Tastes, wish: Wish) -> Keys:
    """The best that no rule forbids."""
    scores[closed] = BLOCKED
    if wish.exclude_seen:
        seen = now.keys[now.bought]
        scores[seen[seen < len(scores)]] = BLOCKED
    return best(scores, wish.n)


def _reasons(model: Model, one: _Person, chosen: Keys, wish: Wish) -> list[Reason]:
    """For each chosen item the part of its score that weighs most."""
    known = chosen < len(model)
    rows = np.where(known, chosen, 0)
    popular = model.lift(one.country, repeat=False)[rows] * known
    liked = np.zeros(len(chosen), dtype=np.float32)
    if one.factors is not None:
        liked = (model.item_factors[rows] @ one.factors) * known
    again = np.zeros(len(chosen), dtype=bool)
    if not wish.exclude_seen:
        again = np.isin(chosen, one.tastes.keys[one.tastes.frequency > 0])
    return [
        Reason.BUY_AGAIN if a else wish.liked if c > 0 and c >= p else Reason.POPULAR if p > 0 else Reason.NEW
        for a, c, p in zip(again.tolist(), liked.tolist(), popular.tolist(), strict=True)
    ]


def _newest(catalogue: Catalogue, visitor: Visitor, wish: Wish, closed: Keys) -> Answer:
    """Before the first model: what came to the shop last."""
    scores = np.empty(len(catalogue), dtype=np.float32)
    scores[np.argsort(catalogue.published, kind="stable")] = np.arange(len(catalogue))
    chosen = _chosen(scores, closed, tastes(visitor.lines, Parameters()), wish)
    nothing = np.zeros(len(chosen), dtype=np.float32)
    missing = _shortfall(catalogue, wish, len(chosen))
    return Answer(Strategy.NEWEST, chosen, nothing, [Reason.NEW] * len(chosen), missing)


def similar(model: Model | None, catalogue: Catalogue, key: int, n: int) -> Answer:
    """Items like one item: by the cosine of their factors, then popular ones of its category, then of the shop."""
    scores = np.where(catalogue.same_category(key), _SAME_CATEGORY, np.float32(0))
    if model is not None:
        known = min(len(model), len(catalogue))
        scores[:known] += model.popularity[:known] * _POPULAR
        if key < known and model.lengths[key] > 0:
            products = model.item_factors[:known] @ model.item_factors[key]
            cosines = products / np.maximum(model.lengths[:known] * model.lengths[key], _TINY)
            scores[:known] = np.where(cosines > _CLOSE, cosines + 1, scores[:known])
    wish = Wish(n, looked_at=key)
    chosen = _chosen(scores, _closed(catalogue, wish), tastes(EMPTY, Parameters()), wish)
    reasons = [Reason.SIMILAR if score >= _SAME_CATEGORY else Reason.POPULAR for score in scores[chosen].tolist()]
    return Answer(Strategy.SIMILAR, chosen, scores[chosen], reasons, _shortfall(catalogue, wish, len(chosen)))


def _shortfall(catalogue: Catalogue, wish: Wish, returned: int) -> Shortfall | None:
    if returned >= wish.n:
        return None
    matching = catalogue.on_sale & catalogue.mask(wish.only)
    return Shortfall(
        requested=wish.n,
        returned=returned,
        in_catalogue=len(catalogue),
        on_sale=int(catalogue.on_sale.sum()),
        match_filter=int(matching.sum()),
    )
