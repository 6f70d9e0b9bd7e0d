"""Ranking: what is shown to whom, and why.

Each rule that forbids an item (off sale, excluded, filtered, bought before) is applied before the best are chosen.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.catalogue import Catalogue
from services.recommend.domain.filters import Filter
from services.recommend.domain.model import Model
from services.recommend.domain.parameters import Parameters
from services.recommend.domain.ranking import BLOCKED, best
from services.recommend.domain.tastes import EMPTY, Lines, Tastes, tastes

Floats = NDArray[np.float32]
_TINY: Final = 1e-12
_NEAR: Final = np.float32(10)  # more than all parts of a score together
_SAME_CATEGORY: Final = np.float32(0.25)
_CLOSE: Final = 0.3  # cosines below this are chance


class Strategy(StrEnum):
    """How an answer was made."""

    FOR_YOU = "for_you"  # from the person's own history (and the moment)
    SESSION = "session"  # only from what the request says of the moment: an item looked at, a cart
    POPULAR = "popular"  # nothing is known of the person
    SIMILAR = "similar"  # to one item
    NEWEST = "newest"  # nothing is known at all: no model yet


class Reason(StrEnum):
    """Why an item is in the answer."""

    BUY_AGAIN = "buy_again"
    FOR_YOU = "for_you"
    FITS_CART = "fits_cart"
    SIMILAR = "similar"
    POPULAR = "popular"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for. Item keys throughout; `looked_at` and `cart` are the moment and not shown again;
    items of the category `near` come first."""

    n: int
    exclude_seen: bool = True
    exclude: Collection[int] = ()
    only: Filter = field(default_factory=Filter)
    looked_at: int | None = None
    cart: Collection[int] = ()
    near: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Why there are fewer items than were asked for: how many each rule left over, one after the other."""

    requested: int
    returned: int
    in_catalogue: int
    on_sale: int
    match_filter: int

    @property
    def reason(self) -> str:
        """The rule that took the most away, as a word."""
        if self.in_catalogue < self.requested:
            return "catalogue_too_small"
        if self.on_sale < self.requested:
            return "too_few_available"
        return "too_few_match_filter" if self.match_filter < self.requested else "too_few_not_excluded"


@dataclass(frozen=True, slots=True)
class Answer:
    """Item keys, best first, with a score and a reason each."""

    strategy: Strategy
    keys: NDArray[np.int64]
    scores: Floats
    reasons: list[Reason]
    shortfall: Shortfall | None = None


def recommend(model: Model | None, catalogue: Catalogue, history: Lines, wish: Wish) -> Answer:
    """The best items for a person with this history at this moment: exactly `wish.n`, or a stated shortfall."""
    if model is None:
        return _newest(catalogue, history, wish)
    now = tastes(history, model.parameters)
    person = model.person(now.keys, now.affinity)
    moment = _moment(model, wish)
    parts = _parts(model, len(catalogue), now, person, moment, repeat=not wish.exclude_seen)
    if wish.near is not None:
        parts.total[catalogue.mask(Filter(categories=(wish.near,)))] += _NEAR
    _block(parts.total, catalogue, wish, now)
    chosen = best(parts.total, wish.n)
    scores = parts.total[chosen]
    if wish.near is not None:
        scores = np.where(scores >= _NEAR, scores - _NEAR, scores)
    strategy = Strategy.SESSION if moment is not None else Strategy.POPULAR
    return Answer(
        strategy if person is None and not parts.frequency.any() else Strategy.FOR_YOU,
        chosen,
        scores,
        _reasons(chosen, parts, model, wish),
        _shortfall(catalogue, wish, len(chosen)) if len(chosen) < wish.n else None,
    )


@dataclass(slots=True)
class _Parts:
    """Scores by item key: their parts (each at most 1) and the weighted total."""

    total: Floats
    collaborative: Floats
    frequency: Floats


def _parts(
    model: Model, size: int, now: Tastes, person: Floats | None, moment: Floats | None, *, repeat: bool
) -> _Parts:
    known = min(size, len(model))
    popular = np.zeros(size, dtype=np.float32)
    popular[:known] = model.popularity[:known]
    collaborative = np.zeros(size, dtype=np.float32)
    taste = _joined(person, moment)
    if taste is not None:
        np.matmul(model.item_factors[:known], taste, out=collaborative[:known])
        collaborative *= 1 / max(collaborative.max(initial=0), _TINY)
    frequency = np.zeros(size, dtype=np.float32)
    blend = model.blend
    if not repeat:
        return _Parts(collaborative + np.float32(blend.discover_popular) * popular, collaborative, frequency)
    inside = now.keys < size
    frequency[now.keys[inside]] = now.frequency[inside] / max(now.frequency.max(initial=0), _TINY)
    total = frequency + blend.repeat_collaborative * collaborative + blend.repeat_popular * popular
    return _Parts(total.astype(np.float32), collaborative, frequency)


def _joined(person: Floats | None, moment: Floats | None) -> Floats | None:
    """History and moment weigh the same, however long the history is."""
    if person is None or moment is None:
        return person if moment is None else moment
    scale = float(np.linalg.norm(person)) / max(float(np.linalg.norm(moment)), _TINY)
    return (person + moment * np.float32(scale)).astype(np.float32)


def _moment(model: Model, wish: Wish) -> Floats | None:
    keys = np.asarray(sorted({*wish.cart, *(() if wish.looked_at is None else (wish.looked_at,))}), dtype=np.int64)
    return model.person(keys, np.ones(len(keys), dtype=np.float32)) if len(keys) else None


def _block(scores: Floats, catalogue: Catalogue, wish: Wish, now: Tastes) -> None:
    scores[catalogue.off_sale] = BLOCKED
    if wish.only:
        scores[~catalogue.mask(wish.only)] = BLOCKED
    scores[_forbidden(wish, now, len(scores))] = BLOCKED


def _forbidden(wish: Wish, now: Tastes, size: int) -> NDArray[np.int64]:
    """Keys that are out whatever they score: excluded, in the cart, being looked at, bought before."""
    named = [*wish.exclude, *wish.cart, *(() if wish.looked_at is None else (wish.looked_at,))]
    seen = now.keys[now.bought] if wish.exclude_seen else now.keys[:0]
    keys = np.concatenate([np.asarray(named, dtype=np.int64), seen])
    return keys[keys < size]


def _reasons(chosen: NDArray[np.int64], parts: _Parts, model: Model, wish: Wish) -> list[Reason]:
    liked = Reason.SIMILAR if wish.looked_at is not None else Reason.FITS_CART if wish.cart else Reason.FOR_YOU
    reasons = []
    for key in chosen.tolist():
        if parts.frequency[key] > 0:
            reasons.append(Reason.BUY_AGAIN)
        elif parts.collaborative[key] > 0 and parts.collaborative[key] >= _popular(model, key):
            reasons.append(liked)
        else:
            reasons.append(Reason.POPULAR if _popular(model, key) > 0 else Reason.NEW)
    return reasons


def _popular(model: Model, key: int) -> float:
    return model.blend.discover_popular * float(model.popularity[key]) if key < len(model) else 0.0


def _newest(catalogue: Catalogue, history: Lines, wish: Wish) -> Answer:
    """Before the first model: what came to the shop last."""
    now = tastes(history, Parameters())
    scores = catalogue.published.astype(np.float32)
    scores += np.linspace(0, 1, len(scores), dtype=np.float32)
    _block(scores, catalogue, wish, now)
    chosen = best(scores, wish.n)
    missing = _shortfall(catalogue, wish, len(chosen)) if len(chosen) < wish.n else None
    return Answer(Strategy.NEWEST, chosen, np.zeros(len(chosen), np.float32), [Reason.NEW] * len(chosen), missing)


def _shortfall(catalogue: Catalogue, wish: Wish, returned: int) -> Shortfall:
    matching = catalogue.on_sale & catalogue.mask(wish.only)
    return Shortfall(
        requested=wish.n,
        returned=returned,
        in_catalogue=len(catalogue),
        on_sale=int(catalogue.on_sale.sum()),
        match_filter=int(matching.sum()),
    )


def similar(model: Model | None, catalogue: Catalogue, key: int, n: int) -> Answer:
    """Items like one item: by the cosine of their factors, then popular ones of its category, then of the shop."""
    wish = Wish(n, looked_at=key)
    scores = np.zeros(len(catalogue), dtype=np.float32)
    scores[catalogue.same_category(key)] += _SAME_CATEGORY
    close = np.zeros(len(catalogue), dtype=np.float32)
    if model is not None:
        known = min(len(model), len(catalogue))
        scores[:known] += model.popularity[:known] * _SAME_CATEGORY
        if key < known and model.lengths[key] > 0:
            products = model.item_factors[:known] @ model.item_factors[key]
            close[:known] = products / np.maximum(model.lengths[:known] * model.lengths[key], _TINY)
            scores += np.where(close > _CLOSE, close + 1, 0)
    nothing = tastes(EMPTY, Parameters())
    _block(scores, catalogue, wish, nothing)
    chosen = best(scores, n)
    reasons = [Reason.SIMILAR if scores[k] >= _SAME_CATEGORY else Reason.POPULAR for k in chosen.tolist()]
    missing = _shortfall(catalogue, wish, len(chosen)) if len(chosen) < n else None
    return Answer(Strategy.SIMILAR, chosen, scores[chosen], reasons, missing)
