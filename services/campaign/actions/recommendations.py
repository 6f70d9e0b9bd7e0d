"""Recommended items from the sibling, for many recipients in one call."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.campaign.domain.variables import without_private
from shared.client import sibling


def for_many(customer_ids: Sequence[UUID], n: int, item_filter: Mapping[str, Any]) -> dict[UUID, list[dict[str, Any]]]:
    """Up to `n` items for each customer. Raises Unavailable where recommend does not answer: nobody is sent to then."""
    if n == 0 or not customer_ids:
        return {}
    body: dict[str, Any] = {"customer_ids": [str(c) for c in customer_ids], "n": n}
    if item_filter:
        body["filter"] = dict(item_filter)
    answer = sibling("recommend").post("/v1/recommendations/batch", json=body, timeout=15.0)
    return {UUID(key): without_private(items) for key, items in answer["results"].items()}


def for_one(customer_id: UUID | None, n: int, item_filter: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The items one customer would get in a message."""
    if customer_id is None:
        return []
    return for_many([customer_id], n, item_filter).get(customer_id, [])
