"""Ranking: what is shown to whom, and why.

Each rule that forbids an item (off sale, excluded, filtered, bought before) is applied before the best are chosen.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.catalogue import Catalogue
from services.recommend.domain.filters import Filter
from services.recommend.domain.model import Model
from services.recommend.domain.parameters import Parameters
from services.recommend.domain.ranking import BLOCKED, best
from services.recommend.domain.tastes import EMPTY, Lines, Tastes, tastes
from services.recommend.domain.wishes import Answer, Reason, Shortfall, Strategy, Wish

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]

_TINY: Final = 1e-12
_NEAR: Final = np.float32(10)  # more than all parts of a score together
_NOTHING_LEARNED: Final = 1e-3  # a wanted item's target is 1: a best score below this is noise
_SAME_CATEGORY: Final = np.float32(0.5)
_POPULAR: Final = np.float32(0.4)  # a popular item of another category never passes one of the same
_CLOSE: Final = 0.3  # cosines below this are chance


def recommend(model: Model | None, catalogue: Catalogue, history: Lines, wish: Wish) -> Answer:
    """The best items for a person with this history at this moment: exactly `wish.n`, or a stated shortfall."""
    if model is None:
        return _newest(catalogue, history, wish)
    now = tastes(history, model.parameters)
    scored = _scored(model, len(catalogue), now, wish)
    if wish.near is not None:
        scored.total[catalogue.mask(Filter(categories=(wish.near,)))] += _NEAR
    chosen = _chosen(scored.total, catalogue, wish, now)
    scores = scored.total[chosen]
    if wish.near is not None:
        scores = np.where(scores >= _NEAR, scores - _NEAR, scores)
    missing = _shortfall(catalogue, wish, len(chosen)) if len(chosen) < wish.n else None
    return Answer(scored.strategy, chosen, scores, _reasons(model, scored, chosen, now, wish), missing)


@dataclass(slots=True)
class _Scored:
    """A score for each item key; the person's factors, scaled so that the best collaborative score is 1."""

    total: Floats
    person: Floats | None
    strategy: Strategy


def _scored(model: Model, size: int, now: Tastes, wish: Wish) -> _Scored:
    person = model.person(now.keys, now.affinity)
    moment = _moment(model, wish)
    taste = _joined(person, moment)
    known = min(size, len(model))
    total = np.zeros(size, dtype=np.float32)
    if taste is not None:
        np.matmul(model.item_factors[:known], taste, out=total[:known])
        highest = float(total.max(initial=0))
        scale = np.float32(1 / highest if highest > _NOTHING_LEARNED else 0)
        total *= scale if wish.exclude_seen else scale * np.float32(model.blend.repeat_collaborative)
        taste = taste * scale
    total[:known] += model.lift(repeat=not wish.exclude_seen)[:known]
    frequency = now.frequency[: np.searchsorted(now.keys, size)]
    if not wish.exclude_seen and len(frequency):
        total[now.keys[: len(frequency)]] += frequency / max(float(frequency.max()), _TINY)
    if person is not None:
        return _Scored(total, taste, Strategy.FOR_YOU)
    return _Scored(total, taste, Strategy.POPULAR if moment is None else Strategy.SESSION)


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


def _chosen(scores: Floats, catalogue: Catalogue, wish: Wish, now: Tastes) -> Keys:
    """The best that no rule forbids."""
    scores[catalogue.off_sale] = BLOCKED
    if wish.only:
        scores[~catalogue.mask(wish.only)] = BLOCKED
    named = np.asarray([*wish.exclude, *wish.moment()], dtype=np.int64)
    seen = now.keys[now.bought] if wish.exclude_seen else now.keys[:0]
    for forbidden in (named, seen):
        scores[forbidden[forbidden < len(scores)]] = BLOCKED
    return best(scores, wish.n)


def _reasons(model: Model, scored: _Scored, chosen: Keys, now: Tastes, wish: Wish) -> list[Reason]:
    """For each chosen item the part of its score that weighs most."""
    known = chosen < len(model)
    rows = np.where(known, chosen, 0)
    popular = model.lift(repeat=False)[rows] * known
    liked = np.zeros(len(chosen), dtype=np.float32)
    if scored.person is not None:
        liked = (model.item_factors[rows] @ scored.person) * known
    again = np.isin(chosen, now.keys[now.frequency > 0]) if not wish.exclude_seen else np.zeros(len(chosen), dtype=bool)
    return [
        Reason.BUY_AGAIN if a else wish.liked if c > 0 and c >= p else Reason.POPULAR if p > 0 else Reason.NEW
        for a, c, p in zip(again.tolist(), liked.tolist(), popular.tolist(), strict=True)
    ]


def _newest(catalogue: Catalogue, history: Lines, wish: Wish) -> Answer:
    """Before the first model: what came to the shop last."""
    scores = np.empty(len(catalogue), dtype=np.float32)
    scores[np.argsort(catalogue.published, kind="stable")] = np.arange(len(catalogue))
    chosen = _chosen(scores, catalogue, wish, tastes(history, Parameters()))
    missing = _shortfall(catalogue, wish, len(chosen)) if len(chosen) < wish.n else None
    return Answer(Strategy.NEWEST, chosen, np.zeros(len(chosen), np.float32), [Reason.NEW] * len(chosen), missing)


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
    chosen = _chosen(scores, catalogue, wish, tastes(EMPTY, Parameters()))
    reasons = [Reason.SIMILAR if score >= _SAME_CATEGORY else Reason.POPULAR for score in scores[chosen].tolist()]
    missing = _shortfall(catalogue, wish, len(chosen)) if len(chosen) < n else None
    return Answer(Strategy.SIMILAR, chosen, scores[chosen], reasons, missing)


def _shortfall(catalogue: Catalogue, wish: Wish, returned: int) -> Shortfall:
    matching = catalogue.on_sale & catalogue.mask(wish.only)
    return Shortfall(
        requested=wish.n,
        returned=returned,
        in_catalogue=len(catalogue),
        on_sale=int(catalogue.on_sale.sum()),
        match_filter=int(matching.sum()),
    )
