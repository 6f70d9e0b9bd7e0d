"""Events that were set aside can be read with the reason, and replayed."""

import pytest

from tests.integration.profile.conftest import identify, track


def rejected(tea_house, **query):
    return tea_house.api.get("/v1/rejected-events", query_string=query).json["items"]


def replay(tea_house, rejected_id, **body):
    reply = tea_house.api.as_key("server").post(f"/v1/rejected-events/{rejected_id}/replay", json=body)
    tea_house.append()
    return reply


@pytest.fixture
def nameless(tea_house):
    """A track event without a name, sent within a batch that says something of all its events."""
    event = {"type": "track", "userId": "mei", "messageId": "m1", "properties": {"email": "mei@example.com"}}
    tea_house.send(event, context={"locale": "zh-CN"})
    return rejected(tea_house)[0]


def test_a_rejected_event_is_shown_with_its_reason_and_what_was_sent(nameless):
    assert nameless["reasons"] == [
        {"code": "invalid", "path": "event", "message": "a track event needs a name in `event`"}
    ]
    assert nameless["event"]["properties"] == {"email": "mei@example.com"}
    assert (nameless["source"], nameless["trusted"], nameless["replayed_at"]) == ("test server", True, None)


def test_what_was_no_json_is_shown_as_text(tea_house):
    tea_house.api.as_key("server").post("/v1/batch", data=b'{"batch": [{"a": 01, "b": "\xff"}]}')
    assert rejected(tea_house)[0]["event"] == r'{"a": 01, "b": "\xff"}'


def test_replayed_as_it_was_it_is_refused_again(tea_house, nameless):
    reply = replay(tea_house, nameless["rejected_id"])
    assert reply.status_code == 422
    assert reply.json["errors"] == [{"path": "event", "message": "a track event needs a name in `event`"}]
    assert len(rejected(tea_house)) == 1


def test_corrected_it_goes_in_as_if_it_had_come_right_at_once(tea_house, nameless):
    reply = replay(tea_house, nameless["rejected_id"], event={**nameless["event"], "event": "Product Viewed"})
    assert reply.status_code == 200, reply.json
    entry = tea_house.log()[0]
    assert (entry["event"], entry["message_id"], entry["source"]) == ("Product Viewed", "m1", "test server")
    assert entry["received_at"].isoformat() == nameless["received_at"]
    assert entry["payload"]["context"] == {"locale": "zh-CN"}
    assert rejected(tea_house) == []
    assert rejected(tea_house, replayed=True)[0]["replayed_by"] == "test server"


def test_an_event_is_replayed_once(tea_house, nameless):
    corrected = {**nameless["event"], "event": "Product Viewed"}
    assert replay(tea_house, nameless["rejected_id"], event=corrected).status_code == 200
    assert replay(tea_house, nameless["rejected_id"], event=corrected).status_code == 409
    assert len(tea_house.log()) == 1


def test_what_was_too_large_for_a_public_key_can_be_let_in_by_a_person(tea_house):
    tea_house.send(track("A", "mei", properties={"text": "x" * 40_000}), key="collect")
    assert replay(tea_house, rejected(tea_house)[0]["rejected_id"]).status_code == 200
    assert tea_house.log("trusted")[0]["trusted"] is False


def test_a_replayed_event_keeps_the_type_its_address_named(tea_house):
    tea_house.api.as_key("server").post("/v1/identify", json={"userId": "undefined", "traits": {"plan": "gold"}})
    event = rejected(tea_house)[0]
    assert event["type"] == "identify"
    assert replay(tea_house, event["rejected_id"], event={**event["event"], "userId": "mei"}).status_code == 200
    assert tea_house.profile(tea_house.user("mei"))["traits"] == {"plan": "gold"}


def test_an_event_set_aside_by_the_appender_can_be_replayed_whole(tea_house):
    known = "01932c8e-7a10-7000-8000-000000000000"
    tea_house.send(
        track(
            "Email Opened",
            messageId="m1",
            timestamp="2026-01-01T00:00:00Z",
            context={"identityId": known, "traits": {"phone": "13800138000"}},
        )
    )
    event = rejected(tea_house)[0]
    assert event["event"]["context"]["traits"] == {"phone": "13800138000"}
    corrected = {**event["event"], "userId": "mei"}
    assert replay(tea_house, event["rejected_id"], event=corrected).status_code == 200
    entry = tea_house.log()[0]
    assert (entry["event"], entry["message_id"], entry["occurred_at"].year) == ("Email Opened", "m1", 2026)


def test_they_come_in_pages_newest_first(tea_house):
    tea_house.send(*({"type": f"type {number}"} for number in range(5)))
    first = tea_house.api.get("/v1/rejected-events?limit=3").json
    rest = tea_house.api.get(f"/v1/rejected-events?limit=3&cursor={first['next_cursor']}").json
    assert [item["event"]["type"] for item in first["items"] + rest["items"]] == [f"type {n}" for n in (4, 3, 2, 1, 0)]


def test_an_event_that_is_not_there_is_not_found(tea_house):
    assert replay(tea_house, "01932c8e-7a10-7000-8000-000000000000").status_code == 404


def test_a_server_may_replay_and_a_public_key_may_not(tea_house, nameless):
    path = f"/v1/rejected-events/{nameless['rejected_id']}/replay"
    assert tea_house.api.as_key("collect").post(path, json={}).status_code == 403
    assert tea_house.api.as_key("collect").get("/v1/rejected-events").status_code == 403


def test_identities_of_rejected_events_are_not_made(tea_house):
    tea_house.send(identify("mei", timestamp="never"))
    assert tea_house.mapping() == {}
