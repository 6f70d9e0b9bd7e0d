"""How Celery and the broker are set up, for whoever sends, consumes or keeps the time."""

from typing import Any, Final

from celery import Celery
from celery.app.amqp import AMQP
from kombu.connection import Connection

_LONGEST_RETRY_S: Final = 3.0


class _Connection(Connection):
    """Kombu's connection, which tries again every few seconds: its own pauses grow to half a minute."""

    def _ensure_connection(  # type: ignore[override]  # callback, timeout and the like pass through
        self,
        errback: Any = None,
        max_retries: Any = None,
        interval_start: float = 0.5,
        interval_step: float = 0.5,
        interval_max: float = _LONGEST_RETRY_S,
        **rest: Any,
    ) -> Any:
        pauses = (interval_start, interval_step, interval_max)
        return super()._ensure_connection(errback, max_retries, *pauses, **rest)  # type: ignore[no-untyped-call]


class _Amqp(AMQP):  # type: ignore[misc]  # Celery has no types
    Connection = _Connection


def app(redis_url: str, name: str) -> Celery:
    """A Celery app: a task at a time, acknowledged when it is done; it comes back to its broker by itself."""
    made = Celery(name, broker=redis_url, amqp=_Amqp)
    made.conf.update(
        task_ignore_result=True,
        task_acks_late=True,
        task_create_missing_queues=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # A full disk or a fail-over (MISCONF, OOM, READONLY) passes: come back instead of ending every worker at once.
        broker_channel_error_retry=True,
        broker_transport_options={
            "socket_connect_timeout": 0.5,
            "socket_timeout": 5.0,
            "socket_keepalive": True,
            "visibility_timeout": 3600,
        },
        timezone="UTC",
    )
    return made
