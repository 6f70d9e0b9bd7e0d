"""What each strategy proposes: a score for every item it has something to say of, and why."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain import recommending
from services.recommend.domain.catalogue import Catalogue
from services.recommend.domain.interactions import Kind
from services.recommend.domain.model import Model
from services.recommend.domain.parameters import Parameters
from services.recommend.domain.ranking import BLOCKED
from services.recommend.domain.rhythms import due
from services.recommend.domain.strategies import Strategy
from services.recommend.domain.tastes import Tastes, tastes
from services.recommend.domain.wishes import Reason, Visitor, Why, Wish

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]
_EXACT: Final = 1_024  # so many of the best by a quick scan are scored exactly
VIEWS: Final = (Kind.VIEWED, Kind.CLICKED)


@dataclass(slots=True)
class Proposal:
    """`scores` by item key, BLOCKED where nothing is proposed. `strategy`: by which they were really found."""

    strategy: Strategy
    scores: Floats
    why: Callable[[int], Why]


@dataclass(frozen=True)
class Asked:
    """Everything a strategy may look at."""

    model: Model | None
    catalogue: Catalogue
    visitor: Visitor
    wish: Wish

    @cached_property
    def tastes(self) -> Tastes:
        """What the person likes and has bought."""
        return tastes(self.visitor.lines, self.model.parameters if self.model else Parameters())

    @property
    def bought(self) -> Keys:
        """What they bought and kept."""
        return self.tastes.keys[self.tastes.bought]

    @property
    def size(self) -> int:
        """How many items there are."""
        return len(self.catalogue)


def propose(strategy: Strategy, asked: Asked) -> Proposal | None:
    """What a strategy proposes; None where it has nothing to go by."""
    return _STRATEGIES[strategy](asked)


def _for_you(asked: Asked) -> Proposal | None:
    model, wish = asked.model, asked.wish
    if model is None:
        return None
    one = recommending.person_of(model, asked.visitor, wish)
    if one.strategy is Strategy.POPULAR and not len(one.session):
        return None
    (products,) = recommending.products_of(model, asked.size, [one])
    found = recommending.scores_of(model, one, products, wish)
    found.refine(_EXACT)
    scores = found.total.copy()  # a slot's boosts are not what the model thinks

    def why(key: int) -> Why:
        (reason,) = recommending.reasons_of(model, one, np.asarray([key]), scores[[key]], wish)
        return Why(reason, wish.looked_at if reason is Reason.SIMILAR else None)

    return Proposal(one.strategy, found.total, why)


def _similar(asked: Asked) -> Proposal | None:
    key = asked.wish.looked_at
    if key is None or key >= asked.size:
        return None
    scores = recommending.likeness(asked.model, asked.catalogue, key)
    return _proposed(Strategy.SIMILAR, np.where(scores > 0, scores, BLOCKED), Why(Reason.SIMILAR, key))


def _bought_together(asked: Asked) -> Proposal | None:
    wish = asked.wish
    return _partners(Strategy.BOUGHT_TOGETHER, asked, [wish.looked_at] if wish.looked_at is not None else wish.cart)


def _cart_complements(asked: Asked) -> Proposal | None:
    return _partners(Strategy.CART_COMPLEMENTS, asked, asked.wish.cart)


def _partners(strategy: Strategy, asked: Asked, keys: Collection[int]) -> Proposal | None:
    """Partners of these items: the sum of the logarithms of their lifts, as if each item spoke for itself."""
    if asked.model is None:
        return None
    total, best = np.zeros(asked.size, np.float32), np.zeros(asked.size, np.float32)
    nearest = np.zeros(asked.size, np.int64)
    for key in sorted(set(keys)):
        partners, lifts = asked.model.habits.pairs.of(key)
        known = partners < asked.size
        partners, lifts = partners[known], np.log(lifts[known])
        total[partners] += lifts
        better = partners[lifts > best[partners]]
        nearest[better] = key
        best[partners] = np.maximum(best[partners], lifts)
    highest = float(total.max(initial=0))
    if highest <= 0:
        return None
    reason = Reason.FITS_CART if strategy is Strategy.CART_COMPLEMENTS else Reason.BOUGHT_TOGETHER
    scores = np.where(total > 0, total / np.float32(highest), BLOCKED)
    return Proposal(strategy, scores, lambda key: Why(reason, int(nearest[key])))


def _buy_again(asked: Asked) -> Proposal | None:
    usual = asked.model.habits.rhythms if asked.model else np.empty(0, np.float32)
    found = due(asked.visitor.lines, asked.bought, usual)
    there = found.keys < asked.size
    days = dict(zip(found.keys.tolist(), found.days.tolist(), strict=True))
    scores = _sparse(asked.size, found.keys[there], found.scores[there])
    return Proposal(Strategy.BUY_AGAIN, scores, lambda key: Why(Reason.BUY_AGAIN, days=days[key]))


def _recently_viewed(asked: Asked) -> Proposal | None:
    lines = asked.visitor.lines
    viewed = np.isin(lines.kinds, VIEWS) & (lines.keys < asked.size)
    scores = np.full(asked.size, BLOCKED, np.float32)
    np.maximum.at(scores, lines.keys[viewed], 1 / (1 + np.maximum(lines.ages[viewed], 0)))
    return _proposed(Strategy.RECENTLY_VIEWED, scores, Why(Reason.RECENTLY_VIEWED))


def _trending(asked: Asked) -> Proposal | None:
    if asked.model is None:
        return None
    trend = asked.model.habits.trend(asked.visitor.country)
    return _proposed(Strategy.TRENDING, _positive(asked.size, trend), Why(Reason.TRENDING))


def _popular(asked: Asked) -> Proposal | None:
    if asked.model is None:
        return None
    known = asked.model.popularity_by_country.get(asked.visitor.country or "", asked.model.popularity)
    return _proposed(Strategy.POPULAR, _positive(asked.size, known), Why(Reason.POPULAR))


def _new_arrivals(asked: Asked) -> Proposal | None:
    return _proposed(Strategy.NEW_ARRIVALS, asked.catalogue.newness.copy(), Why(Reason.NEW))


def _proposed(strategy: Strategy, scores: Floats, why: Why) -> Proposal:
    return Proposal(strategy, scores, lambda _key: why)


def _positive(size: int, known: Floats) -> Floats:
    """Scores above 0; newer items than `known` has are not proposed."""
    scores = np.full(size, BLOCKED, np.float32)
    count = min(size, len(known))
    scores[:count] = np.where(known[:count] > 0, known[:count], BLOCKED)
    return scores


def _sparse(size: int, keys: Keys, values: Floats) -> Floats:
    scores = np.full(size, BLOCKED, np.float32)
    scores[keys] = values
    return scores


_STRATEGIES: Final = MappingProxyType(
    {
        Strategy.FOR_YOU: _for_you,
        Strategy.SIMILAR: _similar,
        Strategy.BOUGHT_TOGETHER: _bought_together,
        Strategy.BUY_AGAIN: _buy_again,
        Strategy.TRENDING: _trending,
        Strategy.NEW_ARRIVALS: _new_arrivals,
        Strategy.RECENTLY_VIEWED: _recently_viewed,
        Strategy.CART_COMPLEMENTS: _cart_complements,
        Strategy.POPULAR: _popular,
    }
)
