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
    offered = platform.post("/v1/recommendations", wanted)["items"]
    assert len(offered) == 5
    bought = offered[0]["item_id"]

    sent = time.monotonic()
    platform.send(
        {
            "type": "track",
            "event": "Order Completed",
            "userId": mark,
            "messageId": str(uuid7()),
            "timestamp": datetime.now(UTC).isoformat(),
            "properties": {"order_id": mark, "total": 9, "mark": mark, "products": [{"product_id": bought}]},
        }
    )
    eventually(lambda: bought not in {i["item_id"] for i in platform.post("/v1/recommendations", wanted)["items"]}, 15)
    record_property("seconds_to_recommendation", round(time.monotonic() - sent, 2))

    def is_member() -> bool:
        insight = platform.get(f"/v1/insights/customers/{customer['customer_id']}")
        return segment["segment_id"] in {one["segment_id"] for one in insight["segments"]}

    eventually(is_member, 15)
    record_property("seconds_to_membership", round(time.monotonic() - sent, 2))
