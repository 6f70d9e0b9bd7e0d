"""Plain events, read by compiled loops, become just what domain/events.py makes of them."""

import json
import struct
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.profile.domain import plain, times
from services.profile.domain.batches import read_batch
from services.profile.domain.events import Accepted, RefusedError, message_key, read_event
from services.profile.domain.messages import Arrival
from services.profile.domain.plain_values import as_instant
from services.profile.store import intake, packing

NOW = times.micros(datetime(2026, 5, 20, 8, 0, tzinfo=UTC))
SENDER = intake.sender_fields(received_at=times.instant(NOW), key_id=None, source="shop", trusted=True, imported=False)
PLAIN = {
    "type": "track", "event": "Product Viewed", "messageId": "m-1", "anonymousId": "browser-1", "userId": "mei",
    "timestamp": "2026-05-20T07:59:59.250Z", "context": {"locale": "zh-CN", "page": {"title": "Longjing"}},
    "properties": {"sku": "t-1", "name": "龙井", "price": 18.5, "tags": ["green", None, True], "more": {"a": [1, {}]}},
    "integrations": {},
}  # fmt: skip


def arrival() -> Arrival:
    return Arrival(
        received=NOW,
        offset=0,
        region="CN",
        trusted=True,
        imported=False,
        largest=32 * 1024,
        seal=lambda text: f"<{text}>",
        index=lambda kind, value: f"#{kind}:{value}",
        new_id=lambda: "made",
    )


def by_the_rule(raw: bytes) -> Accepted | None:
    try:
        return read_event(raw, arrival())
    except RefusedError:
        return None


def by_the_loops(events: list[bytes], body: bytes) -> list[bytes | None]:
    """The row of each event, without what tells of its sender; None for one that is not plain."""
    found = plain.outline(body, len(events), NOW)
    if found is None:
        return [None] * len(events)
    assert [body[begin:end] for begin, end in found.bounds.tolist()] == events
    contexts = [b"", *(json.dumps(json.loads(body[begin:end])).encode() for begin, end in found.contexts.tolist())]
    keys = b"".join(message_key(arrival(), message_id) for message_id in plain.message_ids(body, found))
    rows, ends = packing.pack(body, found, keys, contexts, SENDER)
    begins = [0, *ends.tolist()]
    cut = [rows[begin:end] for begin, end in zip(begins, ends.tolist(), strict=False)]
    return [row[len(SENDER) :] if is_plain else None for row, is_plain in zip(cut, found.is_plain, strict=True)]


def fields_of(row: bytes) -> list[Any]:
    """The fields of a row: texts as bytes, JSON as what it says."""
    fields: list[Any] = []
    while row:
        (size,) = struct.unpack(">i", row[:4])
        fields.append(None if size < 0 else row[4 : 4 + size])
        row = row[4 + max(size, 0) :]
    claims, payload = (None if field is None else json.loads(field[1:]) for field in fields[-2:])
    return [*fields[:-2], claims, payload]


def assert_same(events: list[bytes], body: bytes) -> int:
    """That what is plain becomes the same either way; how much of it is plain."""
    rows = by_the_loops(events, body)
    for raw, row in zip(events, rows, strict=True):
        if row is not None:
            accepted = by_the_rule(raw)
            assert accepted is not None, raw
            assert fields_of(row) == fields_of(intake.rows([accepted], SENDER)[len(SENDER) :])
    return sum(row is not None for row in rows)


IDS = st.sampled_from(
    ["mei", "Undefined", " mei", "mei ", "13800138000", "1380013800", "+8613800138000", "mei@example.com", "梅", "0",
     "", "x" * 256, "x" * 257, "unKnown", "mei　", "un\u212anown", 7, None, "a\\b", "12345"]
)  # fmt: skip
INSTANTS = st.sampled_from(
    ["2026-05-20T07:00:00Z", "2026-05-20T07:00:00.1234567+08:00", "2026-05-20T08:00:01Z", "2026-05-20 07:00:00Z",
     "2026-02-29T07:00:00Z", "2024-02-29T23:59:59.9Z", "2026-05-20T07:00:00", "1989-12-31T00:00:00Z", "", None, 5,
     "2026-05-20T07:00:00.Z", "2026-05-20T24:00:00Z", "2026-05-20T07:00:60Z", "2026-05-20T07:00:00-0500"]
)  # fmt: skip
TEXTS = st.text(max_size=4) | st.sampled_from(["a@b.cn", "\x7f", "é", "\ud7ff", "𝒳", '"', "\\", "　"])
VALUES = st.recursive(
    TEXTS | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "name", "email", "user", "Phone", "地址", "é"]), inner, max_size=3)
    ),
    max_leaves=6,
)
PARTS = {
    "type": st.sampled_from(["track", "page", "screen", "identify", "tracks", None]),
    "event": TEXTS | st.sampled_from(["Viewed", "e" * 513, None]),
    "name": TEXTS | st.sampled_from(["n" * 512, "n" * 513, None]),
    "category": TEXTS,
    "messageId": st.sampled_from(["m1", "m2", "梅", "x" * 512, "x" * 513, "", 7, None]),
    "userId": IDS,
    "anonymousId": IDS,
    "timestamp": INSTANTS,
    "context": st.sampled_from([{"ip": "1"}, {"a": {"b": [1]}}, {}, None, "text"]),
    "properties": st.dictionaries(st.sampled_from(["sku", "email", "more", "user", "n"]), VALUES, max_size=3) | VALUES,
    "traits": st.sampled_from([None, {}, {"email": "mei@example.com"}]),
    "integrations": st.sampled_from([None, {}, {"All": False}]),
    "sentAt": st.sampled_from([None, "2026-05-20T07:00:00Z"]),
    "channel": VALUES,
}
EVENTS = st.fixed_dictionaries({}, optional=PARTS)
NEARLY_PLAIN = (
    st.lists(st.sampled_from(sorted(PARTS)), min_size=1, max_size=2, unique=True)
    .flatmap(lambda names: st.fixed_dictionaries({name: PARTS[name] for name in names}))
    .map(lambda other: {**PLAIN, **other})
)


def as_json(event: Any, **how: Any) -> bytes:
    return json.dumps(event, **{"ensure_ascii": False, **how}).encode("utf-8", "replace")


@st.composite
def bodies(draw: Any) -> tuple[list[bytes], bytes]:
    events = [
        as_json(event, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))
        for event in draw(st.lists(EVENTS | NEARLY_PLAIN, max_size=4))
    ]
    between, before, after = draw(
        st.sampled_from([(b",", b"{", b"}"), (b" ,\n", b' { "a": [{"batch": 1}], ', b', "sentAt": "2026"} \n')])
    )
    return events, before + b'"batch":[' + between.join(events) + b"]" + after


@settings(max_examples=300)
@given(bodies())
def test_what_is_plain_becomes_what_the_rule_makes_of_it(drawn):
    events, body = drawn
    try:
        batch = read_batch(body)
    except ValueError:
        return
    if not batch.cut:
        assert_same(events, body)


@settings(max_examples=400)
@given(NEARLY_PLAIN)
def test_a_plain_event_with_something_else_in_it_is_still_read_as_the_rule_says(event):
    raw = as_json(event)
    assert_same([raw], b'{"batch":[' + raw + b"]}")


def test_usual_events_are_plain():
    events = [
        PLAIN,
        {**PLAIN, "userId": None, "timestamp": None, "context": None, "properties": None},
        {**PLAIN, "type": "page", "event": None, "name": "首页", "anonymousId": None, "channel": "e\\s@c"},
        {**PLAIN, "type": "screen", "event": None, "timestamp": "2026-05-20T15:59:59+08:00", "context": {}},
    ]
    raw = [as_json(event) for event in events]
    assert assert_same(raw[:2] + raw[3:], b'{"batch":[' + b",".join(raw[:2] + raw[3:]) + b"]}") == 3
    assert assert_same(raw, b'{"sentAt": "2026", "batch" : [ ' + b" , ".join(raw) + b" ]}") == 3


@pytest.mark.parametrize(
    "change",
    [
        {"type": "identify"}, {"type": None}, {"messageId": None}, {"messageId": 7}, {"userId": 7}, {"event": " "},
        {"properties": {"email": "x"}}, {"properties": {"a": {"user": {"n": 1}}}}, {"properties": {"a": "a@b.cn"}},
        {"properties": {"a": 1e300}}, {"properties": {"a": 12345678901234567}}, {"properties": {"a": '"'}},
        {"traits": {}}, {"userId": "13800138000"}, {"userId": "undefined", "anonymousId": None}, {"sentAt": "2026"},
        {"timestamp": "2026-05-20T08:00:00.000001Z"}, {"properties": [1]},
    ],
)  # fmt: skip
def test_what_asks_for_more_than_copying_is_not_plain(change):
    raw = as_json({**PLAIN, **change})
    assert by_the_loops([raw], b'{"batch":[' + raw + b"]}") == [None]


@pytest.mark.parametrize(
    "body",
    [
        b'{"batch":[{}],"batch":[{}]}',
        b'{"batch":[{},{}],"batch":[{}]}',
        b'{"batch":[{},5],"batch":[{}]}',
        b'{"b\\u0061tch":[{}]}',
        b'{"batch":[{}],"\\u0062atch":[{}]}',
        b'{"batch":[[]]}',
    ],
)
def test_a_body_of_no_usual_form_has_no_outline(body):
    assert plain.outline(body, 1, NOW) is None


def test_of_two_parts_of_one_name_none_is_guessed():
    raw = as_json(PLAIN)[:-1] + b', "userId": "hua"}'
    assert by_the_loops([raw], b'{"batch":[' + raw + b"]}") == [None]


@given(st.integers(86_400, 4_102_444_800).map(lambda second: datetime.fromtimestamp(second, UTC)))
def test_an_instant_is_what_the_library_reads(instant):
    for text in (
        instant.isoformat(),
        f"{instant:%Y-%m-%dT%H:%M:%S}.000001Z",
        instant.strftime("%Y-%m-%dT%H:%M:%SZ"),
        f"{instant:%Y-%m-%dT%H:%M:%S}.5-09:30",
    ):
        raw = text.encode()
        assert as_instant(packing.np.frombuffer(raw, dtype="uint8"), 0, len(raw)) == times.parse(text)
