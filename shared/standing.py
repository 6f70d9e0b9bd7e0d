"""How a service stands: its readers, jobs, dead letters and figures, asked of the service itself.

Each service has one function that tells it (actions/standing.py). The same answer goes to /statusz, where the system
page finds it, and to /metrics. It is kept for some seconds, so that neither asks the database more often.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

import redis
from prometheus_client.core import Metric

from shared import backlog, contracts, database, metrics, process, queue
from shared.problems import Unavailable

FRESH_S: Final = 2.0
PATIENCE_S: Final = 2.5
_AWAY: Final[tuple[type[Exception], ...]] = (TimeoutError, *database.UNAVAILABLE)
_asking: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="standing")


@dataclass(frozen=True)
class Reader:
    """How far a reader of a published log has come, and how long its next entry has been waiting."""

    reader: str
    log: str
    position: int
    lag_entries: int
    lag_seconds: float


@dataclass(frozen=True)
class Job:
    """A long piece of work. `total` None: how much there is is not known; `usual_seconds`: what the last one took."""

    kind: str
    job_id: str
    state: str  # queued | running | paused | done | failed
    name: str = ""
    done: int | None = None
    total: int | None = None
    usual_seconds: float | None = None
    requested_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None


@dataclass(frozen=True)
class DeadLetters:
    """Work that nobody will try again by itself."""

    kind: str
    waiting: int
    oldest_at: datetime | None = None


@dataclass(frozen=True)
class Figure:
    """A number for /metrics; `name` begins with zhike_."""

    name: str
    what: str
    value: float
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Standing:
    """What a service says of itself."""

    readers: list[Reader] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    dead_letters: list[DeadLetters] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)


Tell = Callable[[], Standing]


class _Kept:
    """The last answer of this process's service."""

    service = ""
    tell: Tell = Standing
    lock = threading.Lock()
    at = 0.0
    answer: Standing = Standing()
    asked: "Future[Standing] | None" = None


def configure(service: str, tell: Tell) -> None:
    """Say which function tells how this process's service stands (done by shared.web.create_app)."""
    _Kept.service, _Kept.tell, _Kept.at, _Kept.asked = service, tell, 0.0, None
    metrics.add_source("standing", _of_the_service)
    metrics.add_source("queues", _of_the_queues)
    metrics.add_source("pool", _of_the_pool)


def now() -> Standing:
    """How the service stands, at most FRESH_S old. Raises Unavailable where the database does not say so in PATIENCE_S.

    Asked in a thread, so that a scrape is never kept waiting by a database that is away.
    """
    with _Kept.lock:
        if _Kept.at and time.monotonic() - _Kept.at <= FRESH_S:
            return _Kept.answer
        if _Kept.asked is None or _Kept.asked.done():
            _Kept.asked = _asking.submit(copy_context().run, _Kept.tell)
        asked = _Kept.asked
    try:
        answer = asked.result(PATIENCE_S)
    except _AWAY as error:
        raise Unavailable("the database does not answer", retry_after=2) from error
    _Kept.answer, _Kept.at = answer, time.monotonic()
    return answer


def report() -> dict[str, Any]:
    """The service's standing with its queues, as /statusz answers it."""
    standing = now()
    try:
        queues: list[dict[str, Any]] | None = [asdict(one) for one in backlog.backlogs(_queues())]
    except redis.RedisError:
        queues = None
    return {
        "service": _Kept.service,
        "version": process.version(),
        "queues": queues,
        "readers": [asdict(one) for one in standing.readers],
        "jobs": [asdict(one) for one in standing.jobs],
        "dead_letters": [asdict(one) for one in standing.dead_letters],
        "figures": [asdict(one) for one in standing.figures],
    }


def _queues() -> list[str]:
    return [name for name in queue.queues_of(_Kept.service) if name in set(contracts.TASKS.values())]


def _of_the_service() -> Iterator[Metric]:
    service = {"service": _Kept.service}
    try:
        standing = now()
    except Exception:  # noqa: BLE001  # the database is away: that is what is told
        yield metrics.family("zhike_database_up", "Whether the service can ask its database.", (0.0, service))
        return
    yield metrics.family("zhike_database_up", "Whether the service can ask its database.", (1.0, service))
    readers = standing.readers
    if readers:
        entries = [(float(one.lag_entries), {"reader": one.reader, "log": one.log}) for one in readers]
        seconds = [(one.lag_seconds, {"reader": one.reader, "log": one.log}) for one in readers]
        yield metrics.family("zhike_reader_lag_entries", "Entries of the log still to be read.", *entries)
        yield metrics.family("zhike_reader_lag_seconds", "How long the next entry has waited.", *seconds)
    if standing.dead_letters:
        letters = [(float(one.waiting), {"kind": one.kind}) for one in standing.dead_letters]
        yield metrics.family("zhike_dead_letters", "What nobody will try again by itself.", *letters)
    named: dict[str, list[Figure]] = {}
    for one in standing.figures:
        named.setdefault(one.name, []).append(one)
    for name, figures in named.items():
        yield metrics.family(name, figures[0].what, *((one.value, one.labels) for one in figures))


def _of_the_queues() -> Iterator[Metric]:
    service = {"service": _Kept.service}
    try:
        found = backlog.backlogs(_queues())
    except redis.RedisError:
        yield metrics.family("zhike_valkey_up", "Whether the service can ask Valkey.", (0.0, service))
        return
    yield metrics.family("zhike_valkey_up", "Whether the service can ask Valkey.", (1.0, service))
    if found:
        depth = [(float(one.messages), {"queue": one.queue}) for one in found]
        oldest = [(one.oldest_seconds, {"queue": one.queue}) for one in found]
        yield metrics.family("zhike_queue_messages", "Messages that no worker has taken yet.", *depth)
        yield metrics.family("zhike_queue_oldest_seconds", "How long the oldest of them has waited.", *oldest)


def _of_the_pool() -> Iterator[Metric]:
    found = database.pool_stats()
    idle = float(found.get("pool_available", 0))
    states = [(found.get("pool_size", 0) - idle, {"state": "in_use"}), (idle, {"state": "idle"})]
    yield metrics.family("zhike_pool_connections", "Database connections of this process.", *states)
    yield metrics.family(
        "zhike_pool_limit", "The most connections this process may open.", (float(found.get("pool_max", 0)), {})
    )
    yield metrics.family(
        "zhike_pool_waiting", "Threads that wait for a connection.", (float(found.get("requests_waiting", 0)), {})
    )
