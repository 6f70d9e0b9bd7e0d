"""An answer by a plan: rules first, then pins, then strategy after strategy until every place is taken."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.catalogue import Catalogue, Mask
from services.recommend.domain.groups import Quotas
from services.recommend.domain.mixing import explore, places_of, spread
from services.recommend.domain.model import Model
from services.recommend.domain.plans import Plan, Promotion
from services.recommend.domain.proposals import Asked, Proposal, propose
from services.recommend.domain.ranking import BLOCKED, best
from services.recommend.domain.rules import allowed, near_of
from services.recommend.domain.strategies import Strategy
from services.recommend.domain.unlikeness import Likeness, take_varied
from services.recommend.domain.wishes import Answer, Reason, Visitor, Why, Wish

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]

POOL: Final = 5  # times as many as are still wanted are looked at for variety
_PINNED: Final = 1.0  # the score of what was put there by hand


def arrange(model: Model | None, catalogue: Catalogue, visitor: Visitor, wish: Wish, plan: Plan) -> Answer:
    """Exactly `wish.n` items by the plan, or a stated shortfall. No pin, boost or strategy overrides a rule."""
    if wish.at.country is None:
        wish = replace(wish, at=wish.at._replace(country=visitor.country))
    asked = Asked(model, catalogue, visitor, wish)
    may = allowed(asked, plan)
    places = _Places(
        wish.n, may.mask.copy(), Quotas(catalogue, plan.quotas), plan.diversity, Likeness(model, catalogue)
    )
    pinned = _pin(places, plan.pins)
    proposals = _Proposals(plan, asked)
    promoted = _promote(places, pinned, proposals, plan.promotions)
    near = near_of(asked, plan)
    for mask in (None,) if near is None else (near, None):
        places.fill_by(proposals, mask)
    shown = _in_place(places, pinned)
    explored, pool = _explore(shown, {*pinned.values(), *promoted}, may.mask, plan, catalogue)
    keys = [one.key for one in shown]
    found = list(dict.fromkeys(one.strategy for one in places.chosen if one.strategy is not None))
    return Answer(
        found[0] if found else plan.chain[0],
        np.asarray(keys, dtype=np.int64),
        np.asarray([one.score for one in shown], dtype=np.float32),
        [one.why.reason for one in shown],
        may.shortfall(wish, len(keys), lambda: int((proposals.anything(keys) & may.mask).sum())),
        tuple(found),
        [one.why for one in shown],
        promoted,
        explored,
        pool,
    )


class _Proposals:
    """What the strategies of a plan propose, boosted, in their order: each is asked when it is its turn."""

    def __init__(self, plan: Plan, asked: Asked) -> None:
        self._plan, self._asked = plan, asked
        self._made: list[Proposal | None] = []

    def __iter__(self) -> Iterator[Proposal]:
        for turn, strategy in enumerate(self._plan.chain):
            if turn == len(self._made):
                self._made.append(propose(strategy, self._asked))
                if (made := self._made[turn]) is not None:
                    _boost(made.scores, self._asked.catalogue, self._plan, self._asked.wish)
            if (proposal := self._made[turn]) is not None:
                yield proposal

    def anything(self, keys: Sequence[int]) -> Mask:
        """Which items somebody proposes, these among them."""
        proposed = np.zeros(self._asked.size, dtype=bool)
        proposed[keys] = True
        for proposal in self:
            proposed |= proposal.scores > BLOCKED
        return proposed


@dataclass(frozen=True, slots=True)
class _Chosen:
    """An item that has a place. `strategy` None: the shop put it there."""

    key: int
    score: float
    why: Why
    strategy: Strategy | None


@dataclass
class _Places:
    """The places of an answer. `free`: what may still be chosen."""

    n: int
    free: Mask
    quotas: Quotas
    diversity: float
    likeness: Likeness
    chosen: list[_Chosen] = field(default_factory=list)

    def take(self, key: int, score: float, why: Why, strategy: Strategy | None) -> bool:
        """Give an item a place, unless it may not have one or there is none left."""
        if not self.free[key] or len(self.chosen) == self.n:
            return False
        self.free[key] = False
        for group in self.quotas.count_in(key):
            self.free &= ~self.quotas.members(group)
        self.chosen.append(_Chosen(key, score, why, strategy))
        return True

    def fill_by(self, proposals: Iterable[Proposal], near: Mask | None) -> None:
        """Fill what is left by one strategy after the other."""
        if len(self.chosen) < self.n:
            for proposal in proposals:
                self.fill(proposal, near)
                if len(self.chosen) == self.n:
                    return

    def fill(self, proposal: Proposal, near: Mask | None) -> None:
        """Fill what is left with a strategy's best. Each round takes at least one item, or there is none."""
        while (wanted := self.n - len(self.chosen)) > 0:
            scores = np.where(self.free if near is None else self.free & near, proposal.scores, BLOCKED)
            keys = best(scores, wanted if self.diversity == 0 else POOL * wanted)
            if not len(keys):
                return
            if self.diversity == 0:
                for key, score in zip(keys.tolist(), scores[keys].tolist(), strict=True):
                    if self.free[key]:
                        self.take(key, score, proposal.why(key), proposal.strategy)
            else:
                self._vary(proposal, keys, scores)

    def _vary(self, proposal: Proposal, pool: Keys, scores: Floats) -> None:
        """Choose from a pool, best first, what is good and unlike what is there already."""

        def take(key: int, score: float) -> bool:
            return self.free[key] and self.take(key, score, proposal.why(key), proposal.strategy)

        chosen = [one.key for one in self.chosen]
        take_varied(self.likeness, pool, scores[pool], chosen, self.diversity, self.n - len(chosen), take)


def _pin(places: _Places, pins: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Put pinned items that may be shown into their places; returns place → key."""
    return {
        position: key
        for position, key in pins
        if position <= places.n and key < len(places.free) and places.take(key, _PINNED, Why(Reason.PINNED), None)
    }


def _boost(scores: Floats, catalogue: Catalogue, plan: Plan, wish: Wish) -> None:
    """Multiply scores; one below 0 is divided, so that a factor above 1 always lifts."""
    for boost in plan.boosts:
        chosen = catalogue.matching(boost.where, wish.at)
        scores[chosen] = np.where(
            scores[chosen] > 0, scores[chosen] * np.float32(boost.factor), scores[chosen] / np.float32(boost.factor)
        )


def _promote(
    places: _Places, pinned: dict[int, int], proposals: Iterable[Proposal], promotions: Sequence[Promotion]
) -> dict[int, str]:
    """Give promoted items their share, the best of them first, and places among the pinned; returns key → promotion."""
    taken: dict[int, str] = {}
    for promotion in promotions:
        wanted = min(places_of(promotion.share, places.n), places.n - len(places.chosen))
        own = np.zeros(len(places.free), dtype=bool)
        own[promotion.keys] = True
        before = len(places.chosen)
        for proposal in proposals:
            for key in best(np.where(places.free & own, proposal.scores, BLOCKED), POOL * wanted).tolist():
                if len(places.chosen) - before < wanted:
                    places.take(key, float(proposal.scores[key]), proposal.why(key), None)
        for key in promotion.keys[places.free[promotion.keys]].tolist():  # of which no strategy has anything to say
            if len(places.chosen) - before < wanted:
                places.take(key, 0.0, Why(Reason.PINNED), None)
        taken |= {one.key: promotion.name for one in places.chosen[before:]}
    pinned |= dict(zip(spread(len(taken), places.n, pinned), taken, strict=False))
    return taken


def _explore(
    shown: list[_Chosen], fixed: Collection[int], may: Mask, plan: Plan, catalogue: Catalogue
) -> tuple[dict[int, float], int]:
    """Put items of the pool into some places of a full answer, in the list itself.

    Returns key → propensity, and among how many items was drawn.
    With quotas at most one, so that every item of the pool has the same probability and none breaks a quota.
    """
    exploring, n = plan.exploration, len(shown)
    if exploring is None or not n:
        return {}, 0
    movable = [place for place, one in enumerate(shown) if one.key not in fixed]
    free = may.copy()
    free[[one.key for one in shown]] = False
    if plan.quotas and movable:
        quotas = Quotas(catalogue, plan.quotas)
        for place, one in enumerate(shown):
            for group in quotas.count_in(one.key) if place != movable[-1] else ():
                free &= ~quotas.members(group)
    pool = exploring.pool[exploring.pool < len(free)]
    dice = np.random.default_rng(exploring.seed)
    found = explore(n, movable, pool[free[pool]], exploring.share, 1 if plan.quotas else n, dice)
    if found is None:
        return {}, 0
    by_score = iter([shown[place] for place in movable if place not in found.left_out])
    for place in movable:
        key = found.items.get(place)
        shown[place] = next(by_score) if key is None else _Chosen(key, 0.0, Why(Reason.NEW), None)
    return dict.fromkeys(found.items.values(), found.propensity), found.pool


def _in_place(places: _Places, pinned: dict[int, int]) -> list[_Chosen]:
    """The chosen in the order in which they are shown: pins in their places, or last where there are too few others."""
    fixed = {*pinned.values()}
    others = [one for one in places.chosen if one.key not in fixed]
    by_key = {one.key: one for one in places.chosen}
    shown: list[_Chosen] = []
    for position in range(1, len(places.chosen) + 1):
        if position in pinned:
            shown.append(by_key[pinned[position]])
        elif others:
            shown.append(others.pop(0))
    late = [by_key[key] for position, key in sorted(pinned.items()) if position > len(places.chosen)]
    return shown + others + late
