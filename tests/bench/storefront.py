"""What a storefront sends, made up ahead of time: bodies of the collector with fresh message ids."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime

import orjson

from shared.ids import uuid7

VISITORS = 20_000
_PAGES = ("Longjing 2026, 100 g", "Tieguanyin, 250 g", "Gaiwan, white", "Biluochun, 50 g", "Travel set", "Pu'er cake")


def bodies(events: int, batch: int, seed: int, visitors: int = VISITORS) -> list[bytes]:
    """Request bodies with `batch` events each, `events` in all, of so many visitors; about 600 bytes an event."""
    made = _events(seed, visitors)
    return [orjson.dumps({"batch": [next(made) for _ in range(batch)]}) for _ in range(events // batch)]


def _events(seed: int, visitors: int) -> Iterator[dict[str, object]]:
    draw = random.Random(seed)
    while True:
        visitor, item = draw.randrange(visitors), draw.randrange(len(_PAGES))
        event: dict[str, object] = {
            "type": "track",
            "event": "Product Viewed",
            "messageId": str(uuid7()),
            "anonymousId": f"visitor-{visitor}",
            "timestamp": datetime.now(UTC).isoformat(),
            "context": {
                "ip": "203.0.113.7",
                "locale": "zh-CN",
                "userAgent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15",
                "page": {"path": f"/products/{item}", "referrer": "https://shop.example/", "title": _PAGES[item]},
                "library": {"name": "storefront", "version": "1.0.0"},
            },
            "properties": {"product_id": f"item-{item}", "name": _PAGES[item], "price": 18.5, "currency": "CNY"},
        }
        if visitor % 3 == 0:  # a third of the visitors are logged in
            event["userId"] = f"customer-{visitor}"
        yield event
