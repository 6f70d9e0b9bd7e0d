"""A batch is cut into its events, and a bad one never costs its neighbours."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.profile.domain.batches import UnreadableError, read_batch, write_key_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_an_envelope_says_what_holds_for_all_its_events():
    body = {
        "batch": [{"a": 1}],
        "sentAt": "2026",
        "writeKey": "k",
        "context": {"ip": "1"},
        "integrations": {"All": True},
    }
    batch = read_batch(json.dumps(body).encode())
    assert [json.loads(bytes(event)) for event in batch.events] == [{"a": 1}]
    assert (batch.sent_at, batch.write_key, batch.context, batch.integrations) == (
        "2026",
        "k",
        {"ip": "1"},
        {"All": True},
    )


def test_nonsense_beside_the_events_is_let_be():
    batch = read_batch(b'{"batch": [], "sentAt": 5, "writeKey": {}, "context": [], "integrations": null, "x": 1}')
    assert (batch.events, batch.sent_at, batch.write_key, batch.context) == ([], None, None, None)


@pytest.mark.parametrize(
    "bad",
    [
        rb'{"text": "\ud800"}',
        b'{"number": 01}',
        b'{"text": "\xff"}',
        b'{"a": ' * 3000 + b"1" + b"}" * 3000,
        rb'{"quote": "]} \" ,", "n": nul}',
    ],
)
def test_an_event_that_cannot_be_read_leaves_its_neighbours_whole(bad):
    batch = read_batch(b'{"batch": [{"n": 1}, ' + bad + b' , {"n": "],["}], "sentAt": "2026"}')
    assert [bytes(event) for event in batch.events] == [b'{"n": 1}', bad, b'{"n": "],["}']
    assert batch.sent_at == "2026"


@settings(max_examples=30)
@given(st.lists(JSON, max_size=3), st.lists(JSON, max_size=3))
def test_cutting_by_brackets_finds_the_same_events(before, after):
    whole = [*before, {"bad": 0}, *after]
    body = json.dumps({"context": {"batch": [1, 2]}, "batch": whole, "sentAt": "2026"}).encode()
    broken = body.replace(b'{"bad": 0}', b'{"bad": 01}')
    events = [bytes(event) for event in read_batch(broken).events]
    assert events.pop(len(before)) == b'{"bad": 01}' or b'{"bad": 01}' in json.dumps([*before, *after]).encode()
    assert [json.loads(event) for event in events] == [*before, *after]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"batch": 5}', b'{"batch": [', b"batch=1", b'{"batch": [}]'])
def test_what_is_no_batch_is_refused(body):
    with pytest.raises(UnreadableError):
        read_batch(body)


def test_a_null_character_beside_the_events_does_not_cost_them():
    body = {"batch": [{"a": 1}], "context": {"page\0": ["tea\0", {"\0": 1}]}, "integrations": {"All\0": True}}
    batch = read_batch(json.dumps(body).encode())
    assert (batch.context, batch.integrations) == ({"page": ["tea", {"": 1}]}, {"All": True})
    assert len(batch.events) == 1


def test_a_string_that_is_never_ended_is_looked_for_once_only():
    body = b'{"writeKey": "zk_collect_tea", "batch": [{"a": 1},' + b'"\\' * 250_000  # half a megabyte; it took hours
    assert write_key_of(body) == "zk_collect_tea"
    with pytest.raises(UnreadableError):
        read_batch(body)
