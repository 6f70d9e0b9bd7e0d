"""From what a request and its slot say to a wish in item keys."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import msgspec
import numpy as np

from services.recommend.actions import shelf
from services.recommend.domain.catalogue import Catalogue
from services.recommend.domain.columns import PRODUCTS
from services.recommend.domain.expression_parser import parse
from services.recommend.domain.expressions import Circumstances, Expression
from services.recommend.domain.filters import Filter, PriceRange, Value
from services.recommend.domain.items import category_path
from services.recommend.domain.planning import plan_of
from services.recommend.domain.plans import Exclusions, Plan, Promotion
from services.recommend.domain.slots import Promoted, Slot, SlotError, promotions_of
from services.recommend.domain.strategies import Strategy, usual_chain
from services.recommend.domain.wishes import Wish
from services.recommend.schemas.recommendations import (
    BatchIn,
    Choice,
    ContextIn,
    FilterIn,
    RecommendationsIn,
)
from shared import shop
from shared.problems import Invalid

USUAL_N: Final = 10
_NO_CONTEXT: Final = ContextIn()
_NO_FILTER: Final = FilterIn()
_EVERYTHING: Final = Filter()


def wish_of(asked: RecommendationsIn | BatchIn, catalogue: Catalogue, now: datetime, slot: Slot | None) -> Wish:
    """What is wanted; what the request says wins over the slot, and all conditions of both hold.

    Raises Invalid and ExpressionError.
    """
    context = asked.context if isinstance(asked, RecommendationsIn) else _NO_CONTEXT
    strategy = None if asked.strategy is None else Strategy(asked.strategy)
    plan = plan_of(slot, strategy, asked.exclude_seen, context.query, catalogue.key_of)
    usually_seen = asked.exclude_seen is not False
    at = Circumstances(now.timestamp(), shop.shop().currency, context.country)
    promoted = _promoted(asked, slot)
    if promoted:
        plan = plan or Plan(usual_chain(Strategy.FOR_YOU), Exclusions(bought=usually_seen))
        plan = replace(plan, promotions=_promotions(promoted, catalogue, at))
    return Wish(
        n=asked.n or (slot.n if slot else USUAL_N),
        exclude_seen=usually_seen if plan is None else plan.exclude.bought,
        exclude=catalogue.keys_of(asked.exclude),
        only=filter_of(asked.filter),
        looked_at=None if context.item_id is None else catalogue.key_of(context.item_id),
        cart=catalogue.keys_of(context.cart),
        near=category_path(context.category) or None,
        kinds=_kinds(asked.kinds, slot),
        where=_where(asked.where, slot),
        at=at,
        plan=plan,
    )


def _promoted(asked: RecommendationsIn | BatchIn, slot: Slot | None) -> Sequence[Promoted]:
    """What the request promotes, else what its slot does. Raises Invalid, ExpressionError."""
    given = asked.promotions if isinstance(asked, RecommendationsIn) else ()
    if not given:
        return slot.promotions if slot else ()
    try:
        return promotions_of([msgspec.to_builtins(one) for one in given])
    except SlotError as error:
        raise Invalid(error.errors[0]["message"], code="bad_promotion", errors=error.errors) from error  # type: ignore[arg-type]


def _promotions(given: Sequence[Promoted], catalogue: Catalogue, at: Circumstances) -> tuple[Promotion, ...]:
    found = []
    for one in given:
        keys = catalogue.keys_of(one.items)
        if one.where is not None:
            keys = np.flatnonzero(catalogue.matching(one.where, at)).tolist()
        found.append(Promotion(one.name, one.share, np.asarray(keys, dtype=np.int64)))
    return tuple(found)


def slot_named(name: str | None) -> Slot | None:
    """The slot of this name; None for None. Call it after shelf.current(). Raises Invalid where there is none."""
    if name is None:
        return None
    found = shelf.slot(name)
    if found is None:
        message = f"there is no slot {name!r}"
        raise Invalid(message, code="unknown_slot", errors=[{"path": "slot", "message": message}])
    return found


def filter_of(given: FilterIn) -> Filter:
    """The conditions of a request as the domain's filter."""
    if given == _NO_FILTER:
        return _EVERYTHING
    price = None
    if given.price_minor is not None:
        price = PriceRange(given.currency or shop.shop().currency, given.price_minor.gte, given.price_minor.lte)
    return Filter(
        categories=tuple(category_path(str(name)) for name in _values(given.category)),
        brands=tuple(str(name) for name in _values(given.brand)),
        price=price,
        attributes=tuple((name, tuple(_values(chosen))) for name, chosen in given.attributes.items()),
    )


def _values(given: Value | Choice | None) -> Iterable[Value]:
    if given is None:
        return ()
    if not isinstance(given, Choice):
        return (given,)
    if (given.eq is None) == (given.any_of is None):
        raise Invalid('a condition is a value, {"eq": value} or {"in": [values]}', code="bad_filter")
    return given.any_of if given.any_of is not None else (given.eq,)  # type: ignore[return-value]


def _where(text: str | None, slot: Slot | None) -> tuple[Expression, ...]:
    of_slot = () if slot is None or slot.where is None else (slot.where,)
    return (*of_slot, parse(text)) if text and not text.isspace() else of_slot


def _kinds(asked: Sequence[str] | None, slot: Slot | None) -> frozenset[str]:
    if asked is not None:
        return frozenset(asked)
    return PRODUCTS if slot is None else slot.kinds
