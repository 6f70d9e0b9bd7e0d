"""Events of Segment's specification: what is taken, what is refused and why, whom they belong to."""

import json
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from services.profile.domain import times
from services.profile.domain.events import Accepted, RefusedError, read_event
from services.profile.domain.messages import Arrival
from services.profile.schemas.events import EventBody

NOW = times.micros(datetime(2026, 5, 20, 8, 0, tzinfo=UTC))


def arrival(**changes: Any) -> Arrival:
    numbers = count(1)
    known: dict[str, Any] = {
        "received": NOW,
        "offset": 0,
        "region": "CN",
        "trusted": True,
        "imported": False,
        "largest": 32 * 1024,
        "seal": lambda text: f"<{text}>",
        "index": lambda kind, value: f"#{kind}:{value}",
        "new_id": lambda: f"made-{next(numbers)}",
    }
    return Arrival(**{**known, **changes})


def read(event: Any, kind: str | None = None, **changes: Any) -> Accepted:
    raw = event if isinstance(event, bytes) else json.dumps(event).encode()
    return read_event(raw, arrival(**changes), kind)


def refusal(event: Any, **changes: Any) -> tuple[str, str]:
    with pytest.raises(RefusedError) as caught:
        read(event, **changes)
    return caught.value.code, caught.value.path


def own(event: Any, **changes: Any) -> tuple[str, str]:
    claim = read({"type": "page", **event}, **changes).own
    return claim.kind, claim.lookup


def claims(event: Any, **changes: Any) -> list[list[Any]]:
    found = read({"type": "identify", **event}, **changes).claims
    return [claim[:2] for claim in json.loads(found)] if found else []


TRACK = {"type": "track", "event": "Product Viewed", "userId": "mei"}


def test_a_track_event_is_taken_as_it_is():
    event = read({**TRACK, "messageId": "m1", "timestamp": "2026-05-20T07:00:00Z", "properties": {"price": 9.5}})
    assert (event.type, event.event, event.message_id) == ("track", "Product Viewed", "m1")
    assert event.occurred == NOW - 3600 * times.SECOND
    assert json.loads(event.payload) == {"userId": "mei", "properties": {"price": 9.5}}


def test_nulls_and_unknown_fields_are_accepted():
    event = read(
        {**TRACK, "anonymousId": None, "traits": None, "context": None, "channel": "web", "_metadata": {"a": 1}}
    )
    assert json.loads(event.payload) == {"userId": "mei"}


def test_an_event_without_a_message_id_gets_one():
    assert read(TRACK).message_id == "made-1"
    assert read({**TRACK, "messageId": ""}).message_id == "made-1"


def test_a_number_is_as_good_an_id_as_a_text():
    event = read({**TRACK, "userId": 42, "messageId": 7})
    assert (event.own.lookup, event.message_id) == ("42", "7")


def test_a_public_key_cannot_use_up_the_message_id_of_a_servers_event():
    assert read({**TRACK, "messageId": "order-1"}).message_key != (
        read({**TRACK, "messageId": "order-1"}, trusted=False).message_key
    )


@pytest.mark.parametrize(
    ("event", "code", "path"),
    [
        (5, "invalid", ""),
        ([], "invalid", ""),
        (None, "invalid", ""),
        ({"userId": "mei"}, "invalid", "type"),
        ({"type": "purchase", "userId": "mei"}, "invalid", "type"),
        ({"type": "track", "userId": "mei"}, "invalid", "event"),
        ({"type": "track", "userId": "mei", "event": " "}, "invalid", "event"),
        ({**TRACK, "event": "x" * 600}, "invalid", "event"),
        ({**TRACK, "properties": [1]}, "invalid", "properties"),
        ({**TRACK, "userId": {"id": 5}}, "invalid", "userId"),
        ({**TRACK, "messageId": "m" * 600}, "invalid", "messageId"),
        ({"type": "page"}, "no_identity", "userId"),
        ({"type": "page", "userId": None, "anonymousId": "undefined"}, "no_identity", "userId"),
        ({"type": "page", "userId": "x" * 300}, "no_identity", "userId"),
        ({"type": "alias", "userId": "mei"}, "no_identity", "userId"),
        ({**TRACK, "timestamp": "yesterday"}, "bad_time", "timestamp"),
        ({**TRACK, "timestamp": "9999-01-01T00:00:00Z"}, "bad_time", "timestamp"),
        ({**TRACK, "originalTimestamp": "1026-01-01T00:00:00Z"}, "bad_time", "originalTimestamp"),
        ({**TRACK, "properties": {"text": "a\0b"}}, "unstorable", ""),
        (b'{"type": "page", "userId": "mei", "properties": {"n": 1e400}}', "invalid", "properties[...]"),
        (rb'{"type": "page", "userId": "mei", "name": "\ud800"}', "unreadable", ""),
        (b'{"type": "page", "userId": "mei", "name": "\xff"}', "unreadable", ""),
        (b'{"type": "page", "userId": "mei"', "unreadable", ""),
        (b'{"type": "page", "userId": "mei", "properties":' + b'{"a":' * 90 + b"1" + b"}" * 91, "too_deep", ""),
        (b'{"type": "page", "userId": "mei", "properties":' + b'{"a":' * 5000 + b"1" + b"}" * 5001, "too_deep", ""),
        ({**TRACK, "properties": {"text": "x" * 40_000}}, "too_large", ""),
    ],
)
def test_what_cannot_be_taken_is_refused_with_the_reason_and_the_place(event, code, path):
    assert refusal(event) == (code, path)


def test_a_backslash_before_u0000_is_just_text():
    assert json.loads(read({**TRACK, "properties": {"regex": r"\u0000"}}).payload)["properties"] == {"regex": r"\u0000"}


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**70), 2**70)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_characters="\0@", exclude_categories=("Cs",))),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(st.characters(codec="ascii", categories=("Lu",)), max_size=2), inner, max_size=3)
        ),
        max_leaves=20,
    )
)
def test_properties_come_out_as_they_went_in(value):
    assert json.loads(read({**TRACK, "properties": {"key": value}}).payload)["properties"] == {"key": value}


def test_what_a_batch_says_of_all_its_events_is_in_each_and_its_own_word_wins():
    event = read({**TRACK, "context": {"ip": "2"}}, context={"ip": "1", "locale": "zh-CN"}, integrations={"All": False})
    said = json.loads(event.payload)
    assert (said["context"], said["integrations"]) == ({"ip": "2", "locale": "zh-CN"}, {"All": False})


def test_an_address_in_the_context_of_the_batch_is_sealed_though_the_event_has_none():
    event = read({**TRACK, "context": {"ip": "2"}}, context={"reply": "mei@example.com"})
    assert json.loads(event.payload)["context"] == {"ip": "2", "reply": "<mei@example.com>"}


def test_a_device_token_in_the_context_of_the_batch_is_sealed_once_in_every_event():
    batch = arrival(context={"device": {"token": "ff15"}})
    for ip in ("1", "2"):
        event = read_event(json.dumps({**TRACK, "context": {"ip": ip}}).encode(), batch)
        assert json.loads(event.payload)["context"] == {"ip": ip, "device": {"token": "<ff15>"}}


def test_an_import_is_history_and_its_sent_at_says_nothing_about_a_clock():
    old = {**TRACK, "timestamp": "2015-02-23T22:28:55Z", "sentAt": "2015-02-23T22:28:55Z"}
    assert times.instant(read(old, imported=True).occurred) == datetime(2015, 2, 23, 22, 28, 55, tzinfo=UTC)
    assert read(old).occurred == NOW


def test_an_event_belongs_to_its_user_else_to_its_browser():
    assert own({"userId": "mei", "anonymousId": "a1"}) == ("user_id", "mei")
    assert own({"anonymousId": "a1"}) == ("anonymous_id", "a1")
    assert own({"userId": "undefined", "anonymousId": "a1"}) == ("anonymous_id", "a1")


def test_a_user_id_that_is_an_address_is_kept_as_one_and_sealed():
    event = read({"type": "page", "userId": "Mei@Example.com"})
    assert (event.own.kind, event.own.lookup, event.own.sealed) == (
        "email",
        "#email:mei@example.com",
        "<mei@example.com>",
    )
    assert b"Example" not in event.payload


def test_a_server_may_name_somebody_by_contact_or_by_our_id():
    assert own({"context": {"traits": {"email": "mei@example.com"}}}) == ("email", "#email:mei@example.com")
    assert own({"traits": {"phone": "13800138000"}}) == ("phone", "#phone:+8613800138000")
    ours = "01932c8e-7a10-7000-8000-000000000000"
    assert own({"context": {"identityId": ours}}) == ("identity", ours)


def test_a_public_key_may_name_nobody_by_contact_or_by_our_id():
    for context in ({"traits": {"email": "mei@example.com"}}, {"identityId": "01932c8e-7a10-7000-8000-000000000000"}):
        assert refusal({"type": "page", "context": context}, trusted=False) == ("no_identity", "userId")


def test_a_servers_identify_claims_browser_and_contacts():
    event = {
        "userId": "mei",
        "anonymousId": "a1",
        "traits": {"email": "mei@example.com"},
        "context": {"traits": {"phone": "13800138000", "openid": "oABC123456"}},
    }
    assert claims(event) == [
        ["anonymous_id", "a1"],
        ["email", "#email:mei@example.com"],
        ["phone", "#phone:+8613800138000"],
        ["wechat_openid", "#wechat_openid:oABC123456"],
    ]


def test_a_public_keys_identify_claims_its_browser_only():
    event = {"userId": "mei", "anonymousId": "a1", "traits": {"email": "mei@example.com"}}
    assert claims(event, trusted=False) == [["anonymous_id", "a1"]]


@pytest.mark.parametrize("email", ["support@shop.example", "null", "", None, 5, ["a@b.cn"]])
def test_a_contact_that_stands_for_nobody_is_not_claimed(email):
    assert claims({"userId": "mei", "traits": {"email": email}}) == []


def test_somebody_whose_user_id_is_a_shared_mailbox_claims_nothing():
    assert claims({"userId": "support@shop.example", "anonymousId": "a1", "traits": {"phone": "13800138000"}}) == []


def test_an_alias_claims_the_id_before_unless_it_is_the_same():
    assert claims({"type": "alias", "userId": "new", "previousId": "old"}) == [["previous", "old"]]
    assert claims({"type": "alias", "userId": "new", "previousId": "new"}) == []
    assert claims({"type": "alias", "userId": "new", "previousId": "old@example.com"}) == [
        ["email", "#email:old@example.com"]
    ]


def test_particulars_are_sealed_wherever_they_stand():
    event = {
        "type": "identify",
        "userId": "mei",
        "traits": {"email": "mei@example.com", "name": "Mei", "plan": "gold"},
        "context": {"traits": {"name": "Mei"}, "device": {"token": "ff15"}, "library": {"name": "py"}},
        "integrations": {"Crm": {"email": "mei@example.com"}},
        "properties": {"shipping": {"name": "Mei", "phone": 13800138000}},
    }
    assert json.loads(read(event).payload) == {
        "userId": "mei",
        "traits": {"email": "<mei@example.com>", "name": "<Mei>", "plan": "gold"},
        "context": {"traits": {"name": "<Mei>"}, "device": {"token": "<ff15>"}, "library": {"name": "py"}},
        "integrations": {"Crm": {"email": "<mei@example.com>"}},
        "properties": {"shipping": {"name": "<Mei>", "phone": "<13800138000>"}},
    }


def test_an_address_with_an_escaped_at_sign_is_seen():
    raw = rb'{"type": "page", "userId": "mei", "properties": {"who": "mei\u0040example.com"}}'
    assert json.loads(read(raw).payload)["properties"] == {"who": "<mei@example.com>"}


def test_the_name_of_a_company_is_no_particular():
    event = {"type": "group", "userId": "mei", "groupId": "g1", "traits": {"name": "Tea House", "employees": 7}}
    assert json.loads(read(event).payload)["traits"] == {"name": "Tea House", "employees": 7}


WIRE = st.fixed_dictionaries(
    {"type": st.sampled_from(["page", "identify"]), "userId": st.sampled_from(["mei", 42])},
    optional={
        name: st.none() | st.sampled_from([{"a": 1}, "text", 5, 1.5, True, [1]])
        for name in (
            *("anonymousId", "groupId", "name", "category", "event", "properties", "traits", "context", "integrations"),
            *("messageId", "unknown"),
        )
    },
)


@given(WIRE)
def test_the_documented_contract_and_the_one_that_is_checked_are_equal(event):
    try:
        EventBody().load(event)
        documented = True
    except ValidationError:
        documented = False
    try:
        read(event)
        checked = True
    except RefusedError:
        checked = False
    assert documented == checked


def test_both_contracts_name_the_same_fields():
    from msgspec.structs import fields

    from services.profile.domain.messages import Event

    assert {field.encode_name for field in fields(Event)} == set(EventBody().fields)
