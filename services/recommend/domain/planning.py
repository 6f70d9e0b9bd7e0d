"""From a slot and what a request wants otherwise to a plan."""

from collections.abc import Callable
from dataclasses import replace

from services.recommend.domain.plans import Exclusions, Plan
from services.recommend.domain.slots import SHOW_AGAIN, Slot
from services.recommend.domain.strategies import Strategy, usual_chain

_MOST_WORDS = 8


def plan_of(
    slot: Slot | None,
    strategy: Strategy | None,
    exclude_seen: bool | None,
    query: str | None,
    key_of: Callable[[str], int | None],
) -> Plan | None:
    """The plan of an answer; None where nothing asks for one. What the request says wins over the slot.

    Pinned items that the catalogue does not have are left out.
    """
    if slot is None and strategy is None and not query:
        return None
    words = tuple((query or "").split()[:_MOST_WORDS])
    if slot is None:
        first = strategy or Strategy.FOR_YOU
        return Plan(usual_chain(first), _exclusions(Exclusions(), first, exclude_seen), words=words)
    first = strategy or slot.strategy
    exclude = slot.exclude if strategy is None else _exclusions(slot.exclude, first, None)
    return Plan(
        chain=(first, *(one for one in slot.fallbacks if one != first)),
        exclude=exclude if exclude_seen is None else replace(exclude, bought=exclude_seen),
        pins=tuple((place, key) for place, item_id in slot.pins if (key := key_of(item_id)) is not None),
        boosts=slot.boosts,
        quotas=slot.quotas,
        diversity=slot.diversity,
        price_band=slot.price_band,
        words=words,
    )


def _exclusions(usual: Exclusions, strategy: Strategy, exclude_seen: bool | None) -> Exclusions:
    """A strategy that shows what a person has had to do with is not robbed of it, unless that is said outright."""
    if strategy in SHOW_AGAIN:
        usual = replace(usual, **{SHOW_AGAIN[strategy]: False})
    return usual if exclude_seen is None else replace(usual, bought=exclude_seen)
