"""One trace leads from a request through its nudges to the readers, and from the start of a campaign to its mail."""

import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import import_module

import orjson
import pytest
from celery import current_app
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from shared import contracts, queue, telemetry, tracing

FIRST, SECOND = "0af7651916cd43dd8448eb211c80319c", "1bf7651916cd43dd8448eb211c80319d"
BROWSER = "b7ad6b7169203331"


class Collector:
    """An OTLP/HTTP collector on loopback; `spans` by trace id."""

    def __init__(self):
        self.spans, self.raw = defaultdict(list), b""
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.take(body)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, body):
        self.raw += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.spans[span.trace_id.hex()].append(span)

    def names(self, trace):
        return {span.name for span in self.spans[trace]}


@pytest.fixture
def collector(monkeypatch):
    running = Collector()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{running.server.server_port}")
    tracing.configure("test")
    yield running
    tracing.flush()
    running.server.shutdown()
    running.server.server_close()


def work(house):
    """Do what the queues hold, as workers would, until nothing is left in them."""
    while True:
        found = [(name, queue.valkey().rpop(name)) for name in sorted(set(contracts.TASKS.values()))]
        if not any(message for _, message in found):
            return
        for name, message in found:
            if message:
                headers = orjson.loads(message)["headers"]
                service = name.partition(".")[0]
                house.act(service)
                import_module(f"services.{service}.tasks")  # as its worker has: nobody else need have
                task = current_app.tasks[headers["task"]]
                task.apply(kwargs={}, headers=headers, throw=True)


def test_a_trace_leads_from_the_request_to_whatever_follows_from_it(house, collector):
    house.act("campaign")
    queue.valkey().flushdb()
    event = {"userId": "mei", "event": "Product Viewed", "messageId": "m-1", "properties": {"product_id": "tea"}}
    reply = house.call("profile", "POST", "/v1/track", json=event, headers={"traceparent": f"00-{FIRST}-{BROWSER}-01"})
    assert reply.status_code == 200
    work(house)
    house.people("mei")
    campaign = house.campaign(house.segment(), house.template())
    queue.valkey().flushdb()
    house.post(f"/v1/campaigns/{campaign}/schedule", json={}, headers={"traceparent": f"00-{SECOND}-{BROWSER}-01"})
    work(house)
    house.act("campaign")
    tracing.flush()

    assert house.mailbox.recipients() == {"mei@tea.example": 1}
    readers = {"segmentation.read_events", "recommend.read_events", "campaign.read_events"}
    assert collector.names(FIRST) >= {"POST /v1/track", "profile.append_intake", *readers}
    assert "transaction profile.actions.append.append_round" in collector.names(FIRST)
    wanted = {"POST /v1/campaigns/<uuid:campaign_id>/schedule", "campaign.start_due", "campaign.send", "hand over"}
    assert collector.names(SECOND) >= wanted
    for trace in (FIRST, SECOND):
        known = {span.span_id.hex() for span in collector.spans[trace]} | {BROWSER}
        assert {span.parent_span_id.hex() for span in collector.spans[trace]} <= known
    assert b"mei@" not in collector.raw


def test_log_lines_within_a_span_carry_its_trace_and_without_one_they_do_not(collector):
    with telemetry.request("find-me"), tracing.span("GET /", "server", {"traceparent": f"00-{FIRST}-{BROWSER}-01"}):
        line = telemetry.add_origin(None, "info", {"event": "poured"})
    assert line["trace_id"] == FIRST
    assert "trace_id" not in telemetry.add_origin(None, "info", {"event": "poured"})


def test_without_a_collector_nothing_is_traced_and_nothing_is_carried(monkeypatch):
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    tracing.configure("test")
    assert not tracing.enabled()
    with tracing.span("GET /") as span:
        assert span is None
        assert tracing.carry() == {}


def test_the_text_of_an_exception_never_leaves(collector):
    with pytest.raises(ValueError, match="mei"), tracing.span("task"):
        raise ValueError("mei@tea.example is no order")
    tracing.flush()
    (spans,) = collector.spans.values()
    assert spans[0].status.code == 2
    assert b"mei@" not in collector.raw
    assert b"ValueError" in collector.raw
