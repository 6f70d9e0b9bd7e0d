"""freshness: from an event to the membership and the recommendation that follow from it, under steady traffic."""

import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.ids import uuid7
from tests.bench import machine, storefront
from tests.bench.load import Target
from tests.bench.report import Figure, percentile
from tests.journey.platform import Platform, eventually, shared

EVENTS_PER_SECOND, BATCH = 200, 20
PROBES, PAUSE_S, POLL_S = 60, 0.5, 0.02
PATIENCE_S = 30.0
PROMISE_S = 2.0


def freshness() -> list[Figure]:
    """Seconds until both are visible, 95 % of the time, by asking again every 20 ms."""
    with tempfile.TemporaryDirectory(prefix="zhike-bench-") as folder, shared(Path(folder)) as platform:
        shop = _Shop(platform)
        traffic = _Traffic(platform)
        traffic.start()
        try:
            time.sleep(3)
            found = [shop.probe(number) for number in range(PROBES)]
        finally:
            traffic.stop()
    both = [max(pair) for pair in found]
    membership, recommendation = ([pair[side] for pair in found] for side in (0, 1))
    conditions = (
        f"{machine.described()}, all roles and the asking client on it; {traffic.rate():.0f} events/s in batches of "
        f"{BATCH} beside {PROBES} probes; p50 {percentile(both, 0.5):.2f} s, worst {max(both):.2f} s; "
        f"membership p95 {percentile(membership, 0.95):.2f} s, "
        f"recommendation p95 {percentile(recommendation, 0.95):.2f} s; "
        f"promised: p95 below {PROMISE_S:.0f} s"
    )
    return [Figure("freshness", round(percentile(both, 0.95), 3), "s (p95)", None, None, conditions)]


class _Traffic(threading.Thread):
    """Events of other visitors at a steady rate."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(daemon=True)
        self._target = Target(platform.url + "/v1/batch", platform.key("server"))
        seconds = 3 + PROBES * (PAUSE_S + 3)
        self._bodies = storefront.bodies(int(seconds * EVENTS_PER_SECOND), BATCH, seed=1)
        self._ended = threading.Event()
        self._sent, self._seconds = 0, 0.0

    def run(self) -> None:
        connection = self._target.connect()
        started = time.monotonic()
        for number, body in enumerate(self._bodies):
            due = started + number * BATCH / EVENTS_PER_SECOND
            if self._ended.wait(max(0.0, due - time.monotonic())):
                break
            connection.send(self._target.request(body))
            self._sent += BATCH
            self._seconds = time.monotonic() - started
        connection.close()

    def stop(self) -> None:
        self._ended.set()
        self.join()

    def rate(self) -> float:
        """Events a second that were really sent."""
        return self._sent / self._seconds


class _Shop:
    """People who will each buy once, a segment of those who did, and items to recommend."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._people = [f"probe-{number}" for number in range(PROBES)]
        items = [{"item_id": f"cup-{n}", "name": f"Cup {n}", "category": "Cups"} for n in range(PROBES)]
        platform.put("/v1/items", {"items": items})
        rule = {
            "event": "Order Completed",
            "count": {"op": ">=", "value": 1},
            "where": [{"property": "affiliation", "op": "=", "value": "probe"}],
        }
        self._segment = platform.post("/v1/segments", {"name": "Probes who bought", "rule": rule})["segment_id"]
        introductions = [{"type": "identify", "userId": who, "messageId": str(uuid7())} for who in self._people]
        platform.send(*introductions)
        self._ids = [
            eventually(lambda who=who: platform.customer(f"user_id:{who}"))["customer_id"] for who in self._people
        ]
        eventually(lambda: not platform.get(f"/v1/segments/{self._segment}")["stale"])

    def probe(self, number: int) -> tuple[float, float]:
        """One person buys one cup; seconds until the membership, and until the cup is offered to them no more."""
        time.sleep(PAUSE_S)
        cup, who = f"cup-{number}", self._people[number]
        sent = time.monotonic()
        self._platform.send(_order(who, cup))
        waiting = {"membership", "recommendation"}
        seen: dict[str, float] = {}
        while waiting:
            if "membership" in waiting and self._is_member(self._ids[number]):
                seen["membership"] = time.monotonic() - sent
            if "recommendation" in waiting and not self._is_offered(who, cup):
                seen["recommendation"] = time.monotonic() - sent
            waiting -= seen.keys()
            if time.monotonic() - sent > PATIENCE_S:
                raise RuntimeError(f"{waiting} of {who} not seen after {PATIENCE_S:.0f} s")
            time.sleep(POLL_S)
        return seen["membership"], seen["recommendation"]

    def _is_member(self, customer_id: str) -> bool:
        insight = self._platform.get(f"/v1/insights/customers/{customer_id}")
        return any(segment["segment_id"] == self._segment for segment in insight["segments"])

    def _is_offered(self, who: str, cup: str) -> bool:
        asked = {"user_id": who, "n": PROBES, "filter": {"category": "Cups"}}
        return any(item["item_id"] == cup for item in self._platform.post("/v1/recommendations", asked)["items"])


def _order(who: str, cup: str) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": who,
        "messageId": str(uuid7()),
        "timestamp": datetime.now(UTC).isoformat(),
        "properties": {
            "order_id": str(uuid7()),
            "total": 12.5,
            "affiliation": "probe",
            "products": [{"product_id": cup, "quantity": 1, "price": 12.5, "category": "Cups"}],
        },
    }
