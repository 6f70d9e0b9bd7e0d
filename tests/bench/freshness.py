"""freshness: from an event to the membership and the recommendation that follow from it, under steady traffic."""

import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from shared.ids import uuid7
from tests.bench import machine, traffic
from tests.bench.report import Figure, percentile
from tests.journey.platform import Platform, eventually, shared

EVENTS_PER_SECOND = 200
PROBES, PAUSE_S, POLL_S = 60, 0.5, 0.02
PATIENCE_S = 30.0
PROMISE_S, LOADED_PROMISE_S = 1.0, 3.0


def freshness() -> list[Figure]:
    """Seconds until both are visible, 95 % of the time, by asking again every 20 ms; under two loads."""
    with tempfile.TemporaryDirectory(prefix="zhike-bench-") as folder, shared(Path(folder)) as platform:
        shop = _Shop(platform, 2 * PROBES)
        calm = _under(platform, shop, EVENTS_PER_SECOND, 0)
        limit = traffic.limit(platform)
        busy = _under(platform, shop, limit * traffic.SHARE_OF_LIMIT, PROBES)
    return [
        _figure("freshness", calm, f"promised: p95 below {PROMISE_S:.0f} s"),
        _figure(
            "freshness_loaded",
            busy,
            f"{traffic.SHARE_OF_LIMIT:.0%} of the {limit:,.0f} events/s that are taken as fast as can be until the "
            f"last reader has read them and everybody is computed; promised: p95 below {LOADED_PROMISE_S:.0f} s",
        ),
    ]


@dataclass(frozen=True)
class _Found:
    """Seconds to (membership, recommendation) of each probe, and the events a second sent beside them."""

    pairs: list[tuple[float, float]]
    rate: float


def _under(platform: Platform, shop: "_Shop", events_per_s: float, first: int) -> _Found:
    with traffic.beside(platform, events_per_s) as beside:
        pairs = [shop.probe(first + number) for number in range(PROBES)]
        return _Found(pairs, beside.rate())


def _figure(name: str, found: _Found, promised: str) -> Figure:
    both = [max(pair) for pair in found.pairs]
    membership, recommendation = ([pair[side] for pair in found.pairs] for side in (0, 1))
    conditions = (
        f"{machine.described()}, all roles and the asking client on it; {found.rate:.0f} events/s in batches of "
        f"{traffic.BATCH} beside {PROBES} probes; p50 {percentile(both, 0.5):.2f} s, worst {max(both):.2f} s; "
        f"membership p95 {percentile(membership, 0.95):.2f} s, "
        f"recommendation p95 {percentile(recommendation, 0.95):.2f} s; {promised}"
    )
    return Figure(name, round(percentile(both, 0.95), 3), "s (p95)", None, None, conditions)


class _Shop:
    """People who will each buy once, a segment of those who did, and items to recommend."""

    def __init__(self, platform: Platform, people: int) -> None:
        self._platform = platform
        self._people = [f"probe-{number}" for number in range(people)]
        items = [{"item_id": f"cup-{n}", "name": f"Cup {n}", "category": _shelf(n)} for n in range(people)]
        platform.put("/v1/items", {"items": items})
        rule = {
            "event": "Order Completed",
            "count": {"op": ">=", "value": 1},
            "where": [{"property": "affiliation", "op": "=", "value": "probe"}],
        }
        self._segment = platform.post("/v1/segments", {"name": "Probes who bought", "rule": rule})["segment_id"]
        introductions = [{"type": "identify", "userId": who, "messageId": str(uuid7())} for who in self._people]
        platform.send(*introductions)
        self._ids = [eventually(partial(platform.customer, f"user_id:{who}"))["customer_id"] for who in self._people]
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
        asked = {"user_id": who, "n": PROBES, "filter": {"category": _shelf(int(cup.removeprefix("cup-")))}}
        return any(item["item_id"] == cup for item in self._platform.post("/v1/recommendations", asked)["items"])


def _shelf(number: int) -> str:
    """The category of a cup: as many on a shelf as are asked for at once."""
    return f"Cups {number // PROBES}"


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
