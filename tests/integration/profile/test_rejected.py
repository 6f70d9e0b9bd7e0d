"""Events that were set aside can be read with the reason, and replayed."""

import pytest

from services.profile.actions import collect
from services.profile.actions import rejected as actions
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


@pytest.fixture
def misfits(tea_house, monkeypatch):
    """Events too large for the public key they came with, which may go in, among nameless ones, which never may."""
    monkeypatch.setattr(actions, "MOST_AT_ONCE", 4)
    monkeypatch.setattr(actions, "SLICE", 2)
    large = [track("A", "mei", messageId=f"large {n}", properties={"text": "x" * 40_000}) for n in range(5)]
    nameless = [{"type": "track", "userId": "mei", "messageId": f"nameless {n}"} for n in range(3)]
    for event in (*nameless, *large):  # the oldest are those that stay
        tea_house.send(event, key="collect")
    return sorted(item["rejected_id"] for item in rejected(tea_house))


def replay_many(tea_house, **body):
    reply = tea_house.api.as_key("server").post("/v1/rejected-events/replay", json=body)
    assert reply.status_code == 200, reply.json
    tea_house.append()
    return reply.json


def messages(tea_house):
    return sorted(row["message_id"] for row in tea_house.log("message_id"))


def test_one_request_tries_so_many_and_the_next_goes_on_behind_those_that_stay(tea_house, misfits):
    first = replay_many(tea_house, all=True)
    assert (first["replayed"], len(first["refused"]), first["remaining"], first["waiting"]) == (1, 3, 4, 7)
    tea_house.send(track("A", "mei", messageId="late", properties={"text": "x" * 40_000}), key="collect")
    second = replay_many(tea_house, all=True, cursor=first["next_cursor"])
    assert (second["replayed"], second["refused"], second["remaining"], second["next_cursor"]) == (4, [], 0, None)
    assert messages(tea_house) == [f"large {n}" for n in range(5)]
    assert second["waiting"] == 4  # the three that were refused again, and the one that came during the pass


def test_named_events_go_on_by_the_cursor_too_and_what_cannot_is_told(tea_house, misfits):
    nobody = "ffffffff-7a10-7000-8000-000000000000"
    first = replay_many(tea_house, rejected_ids=[*misfits, nobody])
    assert (first["remaining"], first["replayed"]) == (5, 1)
    last = replay_many(tea_house, rejected_ids=[*misfits, nobody], cursor=first["next_cursor"])
    assert (last["remaining"], last["replayed"], last["next_cursor"]) == (1, 4, last["next_cursor"])
    end = replay_many(tea_house, rejected_ids=[*misfits, nobody], cursor=last["next_cursor"])
    assert [one["code"] for one in end["refused"]] == ["not_found"]
    again = replay_many(tea_house, rejected_ids=misfits[-1:])
    assert [one["code"] for one in again["refused"]] == ["already_replayed"]
    assert messages(tea_house) == [f"large {n}" for n in range(5)]


def test_no_second_slice_is_begun_when_the_time_is_up(tea_house, misfits, monkeypatch):
    monkeypatch.setattr(actions, "LONGEST_S", 0.0)
    done = replay_many(tea_house, all=True)
    assert (len(done["refused"]), done["remaining"]) == (2, 6)


def test_killed_in_the_middle_whole_slices_are_in_and_nothing_goes_in_twice(tea_house, services, misfits, monkeypatch):
    kept, calls = collect.keep, iter((True, False))

    def dies(tx, arrived):
        kept(tx, arrived)
        if arrived and not next(calls):
            raise KeyboardInterrupt

    monkeypatch.setattr(collect, "keep", dies)
    monkeypatch.setattr(actions, "MOST_AT_ONCE", 100)
    with services.acting("profile"), pytest.raises(KeyboardInterrupt):
        actions.replay_many(None, "mei")
    monkeypatch.setattr(collect, "keep", kept)
    tea_house.append()
    assert messages(tea_house) == ["large 0"]
    assert replay_many(tea_house, all=True)["replayed"] == 4
    assert messages(tea_house) == [f"large {n}" for n in range(5)]
    written = tea_house.tx.all("SELECT subject_id FROM audit_log WHERE action = 'event.replay'")
    assert sorted(row["subject_id"] for row in written) == misfits[3:]


def test_what_the_database_cannot_keep_stays_and_its_neighbours_go_in(tea_house, misfits, monkeypatch):
    kept = collect.keep

    def refuses(tx, arrived):
        if any(event.message_id == "large 2" for accepted, _, _ in arrived for event in accepted):
            tx.execute("SELECT 1 / 0")
        kept(tx, arrived)

    monkeypatch.setattr(collect, "keep", refuses)
    done = replay_many(tea_house, rejected_ids=misfits[4:])
    assert (done["replayed"], [one["code"] for one in done["refused"]]) == (3, ["cannot_be_kept"])
    assert messages(tea_house) == ["large 1", "large 3", "large 4"]


@pytest.mark.parametrize("cursor", ["x", "WyJhIl0", "WyJhIiwgImIiXQ"])
def test_a_cursor_that_is_none_of_ours_is_refused(tea_house, cursor):
    path = "/v1/rejected-events/replay"
    reply = tea_house.api.as_key("server").post(path, json={"all": True, "cursor": cursor})
    assert (reply.status_code, reply.json["code"]) == (400, "bad_cursor")
