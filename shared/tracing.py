"""Traces (OpenTelemetry): one trace from a request through the nudges it causes to the message that is sent.

Off, and free, unless OTEL_EXPORTER_OTLP_ENDPOINT is set; OpenTelemetry's own variables say the rest. Spans are made
by hand at the few doors that matter (requests, tasks, transactions, calls of siblings, windows of mail) and carry no
personal data: no parameters, no addresses, no texts of exceptions.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Final

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_NOTHING: Final = nullcontext(None)
_PLUMBING: Final = frozenset({"contextlib", "shared.database", "shared.tracing"})
_CARRIED: Final = ("traceparent", "tracestate")


class _State:
    """The tracer of this process; None: nothing is traced."""

    tracer: Any = None
    provider: Any = None


def wanted() -> bool:
    """Whether the environment asks for traces."""
    disabled = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return not disabled and any(os.environ.get(name) for name in _ENDPOINTS)


def enabled() -> bool:
    """Whether this process traces."""
    return _State.tracer is not None


def configure(service: str, role: str = "", instance: str = "") -> None:
    """Begin to export this process's spans, if that is wanted. To be called after the last fork: it starts a thread."""
    if not wanted() or _State.tracer is not None:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    about = {"service.namespace": "zhike", "service.name": f"zhike-{service}", "service.instance.id": instance}
    if role:
        about["zhike.role"] = role
    provider = TracerProvider(resource=Resource.create(about))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _State.provider, _State.tracer = provider, provider.get_tracer("zhike")


def flush() -> None:
    """Send what is not sent yet and stop tracing: this process ends."""
    if _State.provider is not None:
        _State.provider.shutdown()
        _State.provider = _State.tracer = None


def span(
    name: str, kind: str = "internal", carried: Mapping[str, str] | None = None, **attributes: Any
) -> AbstractContextManager[Any]:
    """A span around a block; its object, or None where nothing is traced.

    `kind`: internal, server, client, producer or consumer. `carried`: headers in which a parent may have come along.
    """
    if _State.tracer is None:
        return _NOTHING
    return _span(name, kind, carried, attributes)


def transaction_span() -> AbstractContextManager[Any]:
    """The span of a database transaction, named after the use case that opens it."""
    return _NOTHING if _State.tracer is None else _span(f"transaction {_use_case()}", "client", None, _DATABASE)


def carry() -> dict[str, str]:
    """The headers that let somebody else continue the present trace; {} where there is none."""
    headers: dict[str, str] = {}
    if _State.tracer is not None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        TraceContextTextMapPropagator().inject(headers)
    return headers


def ids() -> dict[str, str]:
    """`trace_id` and `span_id` of the present span, for log lines; {} where there is none."""
    if _State.tracer is None:
        return {}
    from opentelemetry import trace  # noqa: PLC0415

    present = trace.get_current_span().get_span_context()
    if not present.is_valid:
        return {}
    return {"trace_id": f"{present.trace_id:032x}", "span_id": f"{present.span_id:016x}"}


_DATABASE: Final = {"db.system.name": "postgresql"}


@contextmanager
def _span(name: str, kind: str, carried: Mapping[str, str] | None, attributes: Mapping[str, Any]) -> Iterator[Any]:
    from opentelemetry.trace import SpanKind, Status, StatusCode  # noqa: PLC0415
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    parent = None
    if carried is not None:
        told = {header: carried[header] for header in _CARRIED if carried.get(header)}
        parent = TraceContextTextMapPropagator().extract(told)
    with _State.tracer.start_as_current_span(
        name,
        context=parent,
        kind=SpanKind[kind.upper()],
        attributes={key.replace("__", "."): value for key, value in attributes.items()},
        record_exception=False,  # its text may hold what somebody typed
        set_status_on_exception=False,
    ) as present:
        try:
            yield present
        except Exception as error:
            present.set_attribute("error.type", type(error).__name__)
            present.set_status(Status(StatusCode.ERROR))
            raise


def _use_case() -> str:
    """The function that opened the transaction: the first one up the stack that is not plumbing."""
    frame = sys._getframe(2)
    while frame.f_globals.get("__name__") in _PLUMBING and frame.f_back is not None:
        frame = frame.f_back
    return f"{frame.f_globals.get('__name__', '').removeprefix('services.')}.{frame.f_code.co_qualname}"
