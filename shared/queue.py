"""Celery as plumbing: a worker app per service, tasks by name, nudges that may be lost without losing anything.

A nudge carries ids, never data. Equal nudges are folded while one is on its way; every kind of work also has a sweep
in its service's SCHEDULE, so an empty Valkey costs seconds, not work.
"""

import contextlib
import functools
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import Context, copy_context
from typing import Any, Final, ParamSpec, TypeVar

import redis
from celery import Celery, current_task, shared_task
from celery.schedules import crontab
from celery.signals import before_task_publish, worker_process_init, worker_process_shutdown
from kombu.entity import Queue

from shared import broker, client, contracts, crypto, database, failures, metrics, process, telemetry, tracing
from shared.config import Settings

P = ParamSpec("P")
R = TypeVar("R")

_log = telemetry.get_logger(__name__)
CONNECTIONS_A_CHILD: Final = 2  # a task uses one; the second is for a broken one's successor
_FOLD_MS: Final = 2_000
_MOMENT_S: Final = 0.02
_PAUSE_S: Final = 1.0  # after a failure, leave the broker alone this long: requests must not queue up behind it


class _Sender:
    """What this process sends nudges with."""

    service = ""
    app: Celery | None = None
    valkey: "redis.Redis | None" = None
    paused_until = 0.0
    lock = threading.Lock()


def configure(settings: Settings) -> None:
    """Prepare this process to send nudges (done by shared.web.create_app and create_worker)."""
    _Sender.service = settings.service
    _Sender.app = broker.app(settings.redis_url, "zhike-sender")
    _Sender.valkey = redis.Redis.from_url(settings.redis_url, socket_timeout=1.0, socket_connect_timeout=0.5)
    _Sender.paused_until = 0.0
    database.send_nudges_with(nudge)


def valkey() -> "redis.Redis":
    """This process's Valkey client (short time-outs; callers decide what to do without it)."""
    if _Sender.valkey is None:
        raise RuntimeError("shared.queue.configure() has not been called in this process")
    return _Sender.valkey


def nudge(name: str, **ids: Any) -> None:
    """Say that there may be work: a nudge of shared.contracts (all its tasks) or one task by name.

    Never raises because of the broker: when it cannot be reached the sweep finds the work.
    Raises KeyError for a name that shared.contracts does not know.
    """
    tasks = contracts.NUDGES.get(name) or (name,)
    queues = [contracts.TASKS[task] for task in tasks]
    if _Sender.app is None or (not ids and _later.takes(name)):
        return
    _send(tasks, queues, {key: _plain(value) for key, value in ids.items()})


def _send(tasks: Sequence[str], queues: Sequence[str], kwargs: Mapping[str, Any]) -> None:
    if _Sender.app is None or time.monotonic() < _Sender.paused_until:
        return
    try:
        for task_name, queue in zip(tasks, queues, strict=True):
            if valkey().set(_fold_key(task_name, kwargs), b"1", nx=True, px=_FOLD_MS):
                headers = {"request_id": telemetry.request_id(), **tracing.carry()}
                _Sender.app.send_task(task_name, kwargs=kwargs, queue=queue, retry=False, headers=headers)
    # Whatever the broker's client raises: the work is in Postgres, the sweep will find it.
    except Exception as error:  # noqa: BLE001
        _Sender.paused_until = time.monotonic() + _PAUSE_S
        metrics.NUDGES_LOST.inc()
        _log.warning("nudge_not_sent", task=tasks[0], error=str(error))


class _Later:
    """Nudges without ids that follow one another within a moment: at its end one more is sent for all of them.

    A process that commits a thousand times a second must not ask Valkey a thousand times whether to say so.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._sent: dict[str, float] = {}
        self._due: dict[str, Context] = {}
        self._pid = 0

    def takes(self, name: str) -> bool:
        """Whether `name` was nudged a moment ago, so that it is sent at the end of that moment, by a thread."""
        with self._changed:
            if name in self._due:
                return True
            now = time.monotonic()
            if now - self._sent.get(name, -_MOMENT_S) >= _MOMENT_S:
                self._sent[name] = now
                return False
            self._due[name] = copy_context()  # the request and the trace of the first of them
            if self._pid != os.getpid():  # a fork has no threads
                self._pid = os.getpid()
                threading.Thread(target=self._run, name="nudges", daemon=True).start()
            self._changed.notify()
            return True

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._due)
            time.sleep(_MOMENT_S)
            with self._changed:
                due, self._due = self._due, {}
                self._sent |= dict.fromkeys(due, time.monotonic())
            for name, context in due.items():
                tasks = contracts.NUDGES.get(name) or (name,)
                context.run(_send, tasks, [contracts.TASKS[task] for task in tasks], {})


_later: Final = _Later()


def task(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Register a function of tasks.py as the Celery task `name` of shared.contracts.

    The task runs under the request id it was sent with; a failure is logged and left to the next nudge or sweep.
    """
    if name not in contracts.TASKS:
        raise KeyError(f"{name} is not in shared.contracts.TASKS")

    def register(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            # Unfold first: what is announced from now on may not be seen by this run.
            _unfold(name, dict(kwargs))
            headers = _headers()
            _note_waiting(name, headers)
            with telemetry.request(headers.get("request_id")), tracing.span(name, "consumer", headers):
                started, outcome = time.monotonic(), "done"
                try:
                    return function(*args, **kwargs)
                except Exception as error:
                    outcome = "failed"
                    _log.exception("task_failed", task=name, seconds=round(time.monotonic() - started, 3))
                    failures.keep(valkey(), name, kwargs, error)
                    raise
                finally:
                    metrics.TASKS.labels(name, outcome).inc()
                    metrics.TASK_SECONDS.labels(name).observe(time.monotonic() - started)

        shared_task(name=name, ignore_result=True, acks_late=True)(run)
        return function

    return register


def create_worker(settings: Settings) -> Celery:
    """The Celery app of a service's worker: its queues, its tasks module, a database pool per child process."""
    telemetry.configure(settings.service, settings.log_level)
    crypto.configure(settings)
    database.configure(settings.database_url, settings.service, min(settings.pool_size, CONNECTIONS_A_CHILD))
    configure(settings)
    client.configure(settings)
    app = broker.app(settings.redis_url, settings.service)
    app.conf.imports = (f"services.{settings.service}.tasks",)
    app.conf.task_queues = [Queue(queue) for queue in queues_of(settings.service)]  # type: ignore[no-untyped-call]
    app.set_default()
    return app


def queues_of(service: str) -> list[str]:
    """The queues that `service`'s worker consumes."""
    return sorted({queue for queue in contracts.TASKS.values() if queue.split(".")[0] == service} | {service})


def create_beat(redis_url: str, schedule: Mapping[str, float | crontab]) -> Celery:
    """The beat: sends each task of `schedule` (name -> seconds or crontab) on its queue; needs no database and no key.

    A message nobody took before the next one is due expires.
    """
    app = broker.app(redis_url, "zhike-beat")
    app.conf.beat_schedule = {
        name: {
            "task": name,
            "schedule": when,
            "options": {"queue": contracts.TASKS[name], "expires": _expiry_s(when), "retry": False},
        }
        for name, when in schedule.items()
    }
    return app


def _expiry_s(when: float | crontab) -> float:
    return 3600.0 if isinstance(when, crontab) else max(when, 2.0)


@worker_process_init.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _after_fork(**_: object) -> None:
    # A child must not share its parent's sockets, and has its own thread that exports spans.
    if _Sender.valkey is not None:
        _Sender.valkey.connection_pool.reset()
    who = process.identity()
    if who is not None and _Sender.service:
        tracing.configure(_Sender.service, who.role, who.instance)


@worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def _before_end(**_: object) -> None:
    tracing.flush()


@before_task_publish.connect  # type: ignore[untyped-decorator]
def _stamp(headers: dict[str, Any] | None = None, **_: object) -> None:
    """Every message says when it was sent, those of the beat, too."""
    if headers is not None:
        headers["sent_at"] = round(time.time(), 3)


def _headers() -> dict[str, Any]:
    """What came with the message of the present task."""
    request = current_task.request
    given = dict(getattr(request, "headers", None) or {})
    for name in ("request_id", "sent_at", "traceparent", "tracestate"):
        if name not in given and getattr(request, name, None) is not None:
            given[name] = getattr(request, name)
    return given


def _note_waiting(name: str, headers: Mapping[str, Any]) -> None:
    sent_at = headers.get("sent_at")
    if isinstance(sent_at, int | float):
        metrics.TASK_WAIT_SECONDS.labels(contracts.TASKS[name]).observe(max(0.0, time.time() - sent_at))


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | str | float | None) else str(value)


def _fold_key(name: str, kwargs: Mapping[str, Any]) -> str:
    return f"nudge:{name}:" + ",".join(f"{key}={kwargs[key]}" for key in sorted(kwargs))


def _unfold(name: str, kwargs: Mapping[str, Any]) -> None:
    with contextlib.suppress(redis.RedisError):  # the key expires by itself
        valkey().delete(_fold_key(name, kwargs))
