"""What is looked at while the platform runs: memory, descriptors, connections, lags, sizes, latencies."""

import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import psutil

from tests.bench.report import percentile
from tests.fault.installation import Installation

READERS: Final = ("segmentation", "recommend", "campaign")
MIB: Final = 1 << 20

_LAGS: Final = """
    SELECT 'segmentation', coalesce(max(position), 0) FROM segmentation.log_cursor WHERE reader = 'segmentation'
    UNION ALL SELECT 'recommend', coalesce(max(position), 0) FROM recommend.log_cursor WHERE reader = 'recommend'
    UNION ALL SELECT 'campaign', coalesce(max(position), 0) FROM campaign.log_cursor WHERE reader = 'campaign'
"""
_SIZES: Final = """
    SELECT n.nspname || '.' || coalesce(p.relname, c.relname), sum(pg_total_relation_size(c.oid))::bigint
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    LEFT JOIN pg_class p ON p.oid = i.inhparent
    WHERE c.relkind = 'r' AND n.nspname IN ('profile', 'segmentation', 'recommend', 'campaign', 'console')
    GROUP BY 1 ORDER BY 2 DESC LIMIT 12
"""


@dataclass(frozen=True)
class Sample:
    """The platform at one moment. Memory is what is private to a role's processes, in MiB; times are in seconds."""

    at_s: float
    memory: dict[str, float]
    descriptors: dict[str, int]
    connections: int
    intake: int
    lag: dict[str, int]
    sizes: dict[str, int]
    latency: dict[str, float]


def take(platform: Installation, began: float, seconds: dict[str, list[float]]) -> Sample:
    """Look at everything once. `seconds`: what requests took since the last sample, by kind."""
    memory, descriptors = _processes(platform)
    intake, lag = behind(platform)
    return Sample(
        at_s=round(time.monotonic() - began, 1),
        memory=memory,
        descriptors=descriptors,
        connections=int(platform.value("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")),
        intake=intake,
        lag=lag,
        sizes={name: int(size) for name, size in platform.rows(_SIZES)},
        latency={name: round(percentile(found, 0.95), 4) for name, found in seconds.items() if found},
    )


def behind(platform: Installation) -> tuple[int, dict[str, int]]:
    """Rows in the intake, and how many entries of the log each reader, and notes the computation, has still to take."""
    intake = int(platform.value("SELECT count(*) FROM profile.intake"))
    cursors: dict[str, int] = dict(platform.rows(_LAGS))
    head = int(platform.value("SELECT coalesce(max(position), 0) FROM profile.log_head WHERE log = 'events'"))
    lag = {reader: max(0, head - cursors[reader]) for reader in READERS}
    # Whoever is touched counts only once the computation has taken them.
    lag["computation"] = int(platform.value("SELECT count(*) FROM segmentation.touched WHERE due_at <= now()"))
    return intake, lag


def _processes(platform: Installation) -> tuple[dict[str, float], dict[str, int]]:
    memory: dict[str, float] = defaultdict(float)
    descriptors: dict[str, int] = defaultdict(int)
    for entry in platform.home.read_state().get("processes", []):
        if entry["state"] != "running":  # the migration has ended long ago
            continue
        with suppress(psutil.Error):
            parent = psutil.Process(entry["pid"])
            for process in (parent, *parent.children(recursive=True)):
                with suppress(psutil.Error):
                    found: Any = process.memory_info()
                    memory[entry["role"]] += (found.rss - found.shared) / MIB
                    descriptors[entry["role"]] += process.num_fds()
    return {role: round(value, 1) for role, value in memory.items()}, dict(descriptors)
