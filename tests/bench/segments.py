"""segment_saved: from saving a segment until it has its members, at rest and under steady traffic."""

import tempfile
import time
from pathlib import Path

from shared.ids import uuid7
from tests.bench import machine, traffic
from tests.bench.report import Figure, percentile
from tests.journey.platform import Platform, shared

SEGMENTS, PAUSE_S, POLL_S = 20, 1.0, 0.02
PATIENCE_S = 60.0
RULE = {"event": "Product Viewed", "count": {"op": ">=", "value": 2}, "within_days": 30}


def segment_saved() -> list[Figure]:
    """Seconds until `stale` is false, 95 % of the time, by asking again every 20 ms; at rest and under load."""
    with tempfile.TemporaryDirectory(prefix="zhike-bench-") as folder, shared(Path(folder)) as platform:
        limit = traffic.limit(platform)
        calm = [_saved(platform) for _ in range(SEGMENTS)]
        with traffic.beside(platform, limit * traffic.SHARE_OF_LIMIT) as beside:
            busy = [_saved(platform) for _ in range(SEGMENTS)]
            rate = beside.rate()
    loaded = f"{rate:.0f} events/s beside it, of the {limit:,.0f} that are taken as fast as can be"
    return [_figure("segment_saved", calm, "nothing beside it"), _figure("segment_saved_loaded", busy, loaded)]


def _figure(name: str, seconds: list[float], beside: str) -> Figure:
    conditions = (
        f"{machine.described()}, all roles and the asking client on it; {SEGMENTS} segments, one after the other; "
        f"{beside}; p50 {percentile(seconds, 0.5):.2f} s, worst {max(seconds):.2f} s"
    )
    return Figure(name, round(percentile(seconds, 0.95), 3), "s (p95)", None, None, conditions)


def _saved(platform: Platform) -> float:
    time.sleep(PAUSE_S)
    body = {"name": f"Looked around {uuid7()}", "rule": RULE}
    path = f"/v1/segments/{platform.post('/v1/segments', body)['segment_id']}"
    answered = time.monotonic()
    while platform.get(path)["stale"]:
        if time.monotonic() - answered > PATIENCE_S:
            raise RuntimeError(f"no members after {PATIENCE_S:.0f} s")
        time.sleep(POLL_S)
    return time.monotonic() - answered
