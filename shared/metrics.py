"""Metrics: what every process counts, and the page that Prometheus reads.

An API is one process with threads and counts in memory. A worker forks children; each counts in files of its own
below the folder that its parent made (deploy.observed), and the parent adds them up. A child that died leaves its
counts, and its live gauges are dropped. Modules count by naming what they count here, never in a loop over rows.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psutil
from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from shared import process

FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
_FAST: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SLOW: Final = (0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800)

REQUESTS: Final = Counter("http_requests_total", "Requests answered.", ["service", "route", "status"])
REQUEST_SECONDS: Final = Histogram("http_request_seconds", "Time to answer.", ["service", "route"], buckets=_FAST)
TASKS: Final = Counter("zhike_tasks_total", "Tasks ended.", ["task", "outcome"])
TASK_SECONDS: Final = Histogram("zhike_task_seconds", "How long tasks took.", ["task"], buckets=_SLOW)
TASK_WAIT_SECONDS: Final = Histogram(
    "zhike_task_wait_seconds", "How long a message waited in its queue before a worker took it.", ["queue"],
    buckets=_SLOW,
)  # fmt: skip
NUDGES_LOST: Final = Counter(
    "zhike_nudges_lost_total", "Nudges that the broker did not take; the sweeps find the work."
)

# What a process tree uses is told by _itself(), children included; these would tell of one process of it.
for _collector in (GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR):
    REGISTRY.unregister(_collector)
disable_created_metrics()

Collect = Callable[[], Iterable[Metric]]
_sources: dict[str, Collect] = {}
_archiving: Final = threading.Lock()


def counter(name: str, what: str, labels: Iterable[str] = ()) -> Counter:
    """A counter for a module of a service; `name` begins with zhike_ and ends with _total."""
    return Counter(name, what, list(labels))


def histogram(name: str, what: str, labels: Iterable[str] = (), buckets: Iterable[float] = _FAST) -> Histogram:
    """A histogram of seconds for a module of a service."""
    return Histogram(name, what, list(labels), buckets=tuple(buckets))


def gauge(name: str, what: str, labels: Iterable[str] = ()) -> Gauge:
    """A gauge of a process without children (an API, the beat)."""
    return Gauge(name, what, list(labels), multiprocess_mode="livemostrecent")


def add_source(name: str, collect: Collect) -> None:
    """Have `collect` asked at each scrape; a later one of the same name takes its place. What it raises is left out."""
    _sources[name] = collect


def page() -> bytes:
    """Everything this process and its children count, in Prometheus' text format. Never raises for a source's sake."""
    registry = CollectorRegistry()
    registry.register(_Sources())
    return _counted() + generate_latest(registry)


def family(name: str, what: str, *samples: tuple[float, dict[str, str]], counts: bool = False) -> Metric:
    """A metric read at the scrape: values with their labels (all of the same names)."""
    names = list(samples[0][1]) if samples else []
    made: Any = (CounterMetricFamily if counts else GaugeMetricFamily)(name, what, labels=names)
    for value, labels in samples:
        made.add_metric([labels[label] for label in names], value)
    return made  # type: ignore[no-any-return]


class _Sources:
    def collect(self) -> Iterator[Metric]:
        yield from _itself()
        for collect in list(_sources.values()):
            with suppress(Exception):  # what cannot be read now is not on the page; alert rules notice
                yield from list(collect())

    def describe(self) -> list[Metric]:
        return []


def _itself() -> Iterator[Metric]:
    """Who this process is and what it uses."""
    who = process.identity()
    yield family("zhike_build_info", "The version that runs.", (1.0, {"version": process.version()}))
    if who is None:
        return
    yield family("zhike_process_start_time_seconds", "When the process started (Unix time).", (who.started_at, {}))
    with suppress(psutil.Error):
        used = process.usage(who.root_pid)
        yield family("zhike_process_rss_bytes", "Resident memory, children included.", (used.rss_bytes, {}))
        yield family("zhike_process_cpu_seconds", "CPU used, children included.", (used.cpu_seconds, {}), counts=True)
        yield family("zhike_process_threads", "Threads, children included.", (used.threads, {}))
        yield family("zhike_process_open_files", "Open file descriptors, children included.", (used.open_files, {}))
        yield family("zhike_process_count", "Processes: the first and its children.", (used.processes, {}))


def _counted() -> bytes:
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    with _archiving:
        archive_the_dead(Path(folder))
        MultiProcessCollector(registry, folder)
        return generate_latest(registry)


def archive_the_dead(folder: Path) -> None:
    """Move what dead children counted into one file per kind, so that the folder does not grow with each of them."""
    for path in sorted(folder.glob("*_*.db")):
        kind, pid = path.stem.split("_")[0], path.stem.rpartition("_")[2]
        if not pid.isdigit() or psutil.pid_exists(int(pid)):
            continue
        if kind == "gauge":
            mark_process_dead(int(pid), str(folder))
            continue
        archive = MmapedDict(str(folder / f"{kind}_archive.db"))
        for key, value, _, _ in MmapedDict.read_all_values_from_file(str(path)):
            archive.write_value(key, archive.read_value(key)[0] + value, time.time())
        archive.close()
        path.unlink()
