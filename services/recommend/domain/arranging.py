"""An answer by a plan: rules first, then pins, then strategy after strategy until every place is taken."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.catalogue import Catalogue, Mask
from services.recommend.domain.groups import Quotas
from services.recommend.domain.model import Model
from services.recommend.domain.plans import Plan
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
    proposals = [one for strategy in plan.chain if (one := propose(strategy, asked)) is not None]
    for proposal in proposals:
        _boost(proposal.scores, catalogue, plan, wish)
    near = near_of(asked, plan)
    for mask in (None,) if near is None else (near, None):
        for proposal in proposals:
            places.fill(proposal, mask)
    keys, scores, whys = _in_place(places, pinned)
    proposed = np.zeros(len(catalogue), dtype=bool)
    proposed[keys] = True
    for proposal in proposals:
        proposed |= proposal.scores > BLOCKED
    found = list(dict.fromkeys(one.strategy for one in places.chosen if one.strategy is not None))
    return Answer(
        found[0] if found else plan.chain[0],
        np.asarray(keys, dtype=np.int64),
        np.asarray(scores, dtype=np.float32),
        [why.reason for why in whys],
        may.shortfall(wish, len(keys), int((proposed & may.mask).sum())),
        tuple(found),
        whys,
    )


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

    def fill(self, proposal: Proposal, near: Mask | None) -> None:
        """Fill what is left with a strategy's best. Each round takes at least one item, or there is none."""
        while (wanted := self.n - len(self.chosen)) > 0:
            scores = np.where(self.free if near is None else self.free & near, proposal.scores, BLOCKED)
            keys = best(scores, wanted if self.diversity == 0 else POOL * wanted)
            if not len(keys):
                return
            if self.diversity == 0:
                for key, score in zip(keys.tolist(), scores[keys].tolist(), strict=True):
                    self.take(key, score, proposal.why(key), proposal.strategy)
            else:
                chosen = [one.key for one in self.chosen]

                def take(key: int, score: float) -> bool:
                    return self.take(key, score, proposal.why(key), proposal.strategy)

                take_varied(self.likeness, keys, scores[keys], chosen, self.diversity, take)


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


def _in_place(places: _Places, pinned: dict[int, int]) -> tuple[list[int], list[float], list[Why]]:
    """The chosen in the order in which they are shown: pins in their places, or last where there are too few others."""
    others = [one for one in places.chosen if one.strategy is not None]
    by_key = {one.key: one for one in places.chosen}
    shown: list[_Chosen] = []
    for position in range(1, len(places.chosen) + 1):
        if position in pinned:
            shown.append(by_key[pinned[position]])
        elif others:
            shown.append(others.pop(0))
    late = [by_key[key] for position, key in sorted(pinned.items()) if position > len(places.chosen)]
    shown += others + late
    return [one.key for one in shown], [one.score for one in shown], [one.why for one in shown]
