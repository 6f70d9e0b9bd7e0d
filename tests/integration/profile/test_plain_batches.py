"""Batches whose plain events are taken by compiled loops: everything else of them goes as it always did."""

import json
import subprocess
import sys
import time

import pytest

from services.profile.actions import collect_batch, plain_batch
from services.profile.actions.collect_batch import LARGE, Loops

VIEW = {"type": "track", "event": "Product Viewed", "anonymousId": "browser-1", "properties": {"sku": "t-1"}}


@pytest.fixture
def loops(monkeypatch):
    """The loops, as in a process that has met a large batch."""
    ready = Loops()
    ready._module = plain_batch
    monkeypatch.setattr(collect_batch, "_loops", ready)


def rows(tx, columns="message_id"):
    return [tuple(row.values()) for row in tx.all(f"SELECT {columns} FROM intake ORDER BY id")]


def test_plain_and_other_events_stay_in_their_order_and_a_bad_one_is_set_aside(profile_api, profile_tx, loops):
    events = [
        {**VIEW, "messageId": "m1"},
        {"type": "identify", "userId": "mei", "traits": {"email": "mei@example.com"}, "messageId": "m2"},
        {"type": "nothing", "userId": "mei", "messageId": "m3"},
        {**VIEW, "userId": "mei", "messageId": "m4", "context": {"page": {"url": "https://tea.example/a@b"}}},
        {**VIEW, "messageId": "m5", "context": "no context"},
        {**VIEW, "messageId": "m6", "properties": {"email": "mei@example.com"}},
    ]
    reply = profile_api.as_key("server").post("/v1/batch", json={"batch": events}).json
    assert (reply["accepted"], reply["rejected"]) == (4, 2)
    assert rows(profile_tx) == [("m1",), ("m2",), ("m4",), ("m6",)]
    assert "mei@example.com" not in json.dumps(rows(profile_tx, "payload, claims, own_lookup"))


def test_what_a_batch_says_of_all_its_events_holds_for_plain_ones(profile_api, profile_tx, loops):
    body = {"batch": [{**VIEW, "messageId": "m1"}], "context": {"locale": "zh", "traits": {"phone": "13800138000"}}}
    assert profile_api.as_key("server").post("/v1/batch", json=body).status_code == 200
    ((payload,),) = rows(profile_tx, "payload")
    assert payload["context"]["locale"] == "zh"
    assert payload["context"]["traits"]["phone"].startswith("enc:1:")


def test_a_plain_event_is_a_repeat_of_the_same_one_taken_without_loops(tea_house, monkeypatch):
    tea_house.send({**VIEW, "messageId": "m1"})
    ready = Loops()
    ready._module = plain_batch
    monkeypatch.setattr(collect_batch, "_loops", ready)
    tea_house.send({**VIEW, "messageId": "m1"}, {**VIEW, "messageId": "m2"})
    assert [row["message_id"] for row in tea_house.log("message_id")] == ["m1", "m2"]


def test_a_batch_with_a_wrong_clock_is_corrected_as_ever(tea_house, loops):
    tea_house.send({**VIEW, "messageId": "m1", "timestamp": "2026-05-20T08:00:00Z"}, sentAt="2026-05-20T08:00:00Z")
    ((gap,),) = [
        tuple(row.values())
        for row in tea_house.tx.all("SELECT extract(epoch FROM received_at - occurred_at)::float AS gap FROM event_log")
    ]
    assert gap < 5


def test_loops_are_loaded_by_a_large_batch_only_and_beside_the_requests():
    loops = Loops()
    assert (loops.for_batch(LARGE - 1), loops._begun.locked()) == (None, False)
    loops.for_batch(LARGE)
    until = time.monotonic() + 60
    while loops.for_batch(1) is None and time.monotonic() < until:
        time.sleep(0.01)
    assert loops.for_batch(1) is plain_batch


def test_a_collector_of_single_events_never_loads_the_compiler():
    asked = "import sys, services.profile.api.collect; print('numba' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
