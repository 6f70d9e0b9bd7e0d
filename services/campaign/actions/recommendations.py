"""Recommended items from the sibling, for many recipients in one call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from services.campaign.domain.variables import without_private
from shared.client import sibling
from shared.problems import Invalid

SLOT_GONE: Final = "slot_gone"


@dataclass(frozen=True)
class Wished:
    """What a campaign wants recommended. `n` 0: nothing; with a slot, as many as that has for the recipient."""

    n: int
    slot: str | None = None
    filter: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Recommended:
    """What there is for each customer. `ids`: of the slot's answers; `fallback`: why the slot was not asked."""

    items: Mapping[UUID, list[dict[str, Any]]] = field(default_factory=dict)
    ids: Mapping[UUID, UUID] = field(default_factory=dict)
    fallback: str | None = None

    def items_of(self, customer_id: UUID) -> list[dict[str, Any]]:
        """The items of one customer."""
        return self.items.get(customer_id, [])


def wish_of(settings: Mapping[str, Any]) -> Wished:
    """What a campaign, or a run of it, wants."""
    return Wished(settings["recommend_n"], settings["recommend_slot"], settings["recommend_filter"])


def for_many(customer_ids: Sequence[UUID], wish: Wished) -> Recommended:
    """The items of each customer, by one request, as the wish's slot has them for each.

    Where that slot is gone they are asked for without it, and `fallback` says so: a letter is not held up by that.
    Raises Unavailable where recommend does not answer: nobody is sent to then.
    """
    if not customer_ids or (wish.n == 0 and wish.slot is None):
        return Recommended()
    body: dict[str, Any] = {"customer_ids": [str(c) for c in customer_ids]}
    if wish.n:
        body["n"] = wish.n
    if wish.filter:
        body["filter"] = dict(wish.filter)
    if wish.slot is None:
        return _asked(body)
    try:
        return _asked({**body, "slot": wish.slot})
    except Invalid as problem:
        if problem.code != "unknown_slot":
            raise
    found = _asked(body)
    return Recommended(found.items, found.ids, SLOT_GONE)


def for_one(customer_id: UUID | None, wish: Wished) -> Recommended:
    """The items one customer would get in a message."""
    return Recommended() if customer_id is None else for_many([customer_id], wish)


def _asked(body: Mapping[str, Any]) -> Recommended:
    answer = sibling("recommend").post("/v1/recommendations/batch", json=body, timeout=15.0)
    return Recommended(
        {UUID(key): without_private(items) for key, items in answer["results"].items()},
        {UUID(key): UUID(told) for key, told in answer["recommendation_ids"].items()},
    )
