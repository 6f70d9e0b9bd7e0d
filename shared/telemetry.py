"""Structured logs: JSON lines. Personal data is masked before a line is written."""

import logging
import re
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final

import structlog
from structlog.contextvars import bind_contextvars, get_contextvars, reset_contextvars

from shared import process, tracing
from shared.ids import uuid7

# Bounded, so that a long text without what they look for is read once and not once from each of its characters.
_EMAIL: Final = re.compile(r"[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}\w{1,63}")
_PHONE: Final = re.compile(r"(?<![\w-])\+?\d[\d ]{8,14}\d(?![\w-])")
_SECRET: Final = re.compile(
    r"zk_(?:collect|storefront|server|admin)_[\w-]+|enc:1:[\w-]+|(?<=://)[^/@\s:]{1,200}:[^/@\s]{1,200}(?=@)"
)
_PERSONAL_KEYS: Final = frozenset({"email", "phone", "name", "address", "openid", "unionid", "token", "password"})


class _Who:
    """Which service this process speaks for. Not a context variable: threads begin without those."""

    service = ""


def configure(service: str, level: str = "info") -> None:
    """Set up logging of this process: one JSON object a line on stderr.

    Each has `service`, the process's `role` and `instance`, and where there are such the request and trace id.
    """
    _Who.service = service
    shared_steps: list[Any] = [
        structlog.contextvars.merge_contextvars,
        add_origin,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask_personal,
    ]
    structlog.configure(
        processors=[*shared_steps, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        # A line below the level costs nothing: it is dropped before any processor runs.
        wrapper_class=structlog.make_filtering_bound_logger(level.lower()),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared_steps,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_end


def add_origin(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: which process says it, and within which trace."""
    event.setdefault("service", _Who.service)
    who = process.identity()
    if who is not None:
        event["role"], event["instance"] = who.role, who.instance
    event.update(tracing.ids())
    return event


def get_logger(name: str) -> Any:
    """A structured logger: `log.info("event_name", key=value)`."""
    return structlog.get_logger(name)


def _log_end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A process that ends by an exception says so in its log's own words."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    get_logger(__name__).critical("ended_by_exception", error=kind.__name__, exc_info=(kind, error, trace))


def mask_personal(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: hide addresses, phones, keys and sealed values, by field name and by their look."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = "***" if key in _PERSONAL_KEYS else mask(value)
    return event


def mask(text: str) -> str:
    """`text` with e-mail addresses, phone numbers, API keys, passwords in URLs and sealed values replaced."""
    text = _EMAIL.sub("***@***", text)
    text = _SECRET.sub("***", text)
    return _PHONE.sub("***", text)


def request_id() -> str | None:
    """The request id this work belongs to, if any."""
    return get_contextvars().get("request_id")


@contextmanager
def request(request_id: str | None) -> Iterator[str]:
    """Everything logged or nudged inside carries this request id; a new one is made where none came along."""
    chosen = request_id if request_id and re.fullmatch(r"[\w.:-]{1,128}", request_id) else uuid7().hex
    before = bind_contextvars(request_id=chosen)
    try:
        yield chosen
    finally:
        reset_contextvars(**before)
