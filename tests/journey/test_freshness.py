"""What a customer just did is known everywhere at once: membership and recommendations follow by themselves."""

import time
from datetime import UTC, datetime
from typing import Any

from shared.ids import uuid7
from tests.journey.platform import Platform, eventually


def test_an_order_changes_membership_and_recommendation_without_anybody_asking(
    platform: Platform, record_property: Any
) -> None:
    mark = uuid7().hex
    items = [
        {"item_id": f"CUP-{number}-{mark}", "name": f"Cup {number}", "category": f"Cups {mark}"} for number in range(5)
    ]
    platform.put("/v1/items", {"items": items})
    rule = {
        "event": "Order Completed",
        "count": {"op": ">=", "value": 1},
        "where": [{"property": "mark", "op": "=", "value": mark}],
    }
    segment = platform.post("/v1/segments", {"name": f"Cups {mark}", "rule": rule})
    eventually(lambda: not platform.get(f"/v1/segments/{segment['segment_id']}")["stale"])
    platform.send({"type": "identify", "userId": mark, "messageId": str(uuid7()), "traits": {"name": "Mei"}})
    customer = eventually(lambda: platform.customer(f"user_id:{mark}"))
    wanted = {"user_id": mark, "n": 5, "filter": {"category": f"Cups {mark}"}}
    offered = offered_to(platform, wanted)
    assert len(offered) == 5
    bought = offered[0]

    sent = time.monotonic()
    platform.send(order(mark, bought, mark=mark))
    assert bought not in offered_to(platform, wanted)

    def is_member() -> bool:
        insight = platform.get(f"/v1/insights/customers/{customer['customer_id']}")
        return segment["segment_id"] in {one["segment_id"] for one in insight["segments"]}

    eventually(is_member, 15)
    record_property("seconds_to_membership", round(time.monotonic() - sent, 2))


def test_every_order_and_every_item_that_is_sold_out_counts_in_the_very_next_answer(platform: Platform) -> None:
    mark, count = uuid7().hex, 40
    cups = [f"BOWL-{number}-{mark}" for number in range(count)]
    items = [{"item_id": cup, "name": "Bowl", "category": f"Bowls {mark}"} for cup in cups]
    platform.put("/v1/items", {"items": items})
    wanted = {"user_id": mark, "n": count, "filter": {"category": f"Bowls {mark}"}}
    left = set(offered_to(platform, wanted))
    assert left == set(cups)
    for number, cup in enumerate(cups):
        if number % 2:
            reply = platform.call("PATCH", f"/v1/items/{cup}", json={"available": False})
            assert reply.ok, reply.text
        else:
            platform.send(order(mark, cup))
        left.remove(cup)
        assert set(offered_to(platform, wanted)) == left
        time.sleep(number * 0.005)  # so that the next one meets the events before it on all parts of their way


def offered_to(platform: Platform, wanted: dict[str, Any]) -> list[str]:
    return [item["item_id"] for item in platform.post("/v1/recommendations", wanted)["items"]]


def order(who: str, item: str, **more: str) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": who,
        "messageId": str(uuid7()),
        "timestamp": datetime.now(UTC).isoformat(),
        "properties": {"order_id": str(uuid7()), "total": 9, "products": [{"product_id": item}], **more},
    }
