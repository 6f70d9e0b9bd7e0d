"""The collector: Segment's calls in, durable before the answer, a bad event never at its neighbours' cost."""

import base64
import gzip
import json
import zlib

import pytest

from tests.integration.profile.conftest import track

GOOD = track("Product Viewed", "mei")
CALLS = [
    ("track", {"userId": "mei", "event": "Product Viewed"}),
    ("identify", {"userId": "mei", "traits": {"plan": "gold"}}),
    ("page", {"anonymousId": "a1", "name": "Home"}),
    ("screen", {"anonymousId": "a1", "name": "Home"}),
    ("group", {"userId": "mei", "groupId": "g1", "traits": {"name": "Tea House"}}),
    ("alias", {"userId": "mei", "previousId": "old"}),
]


def waiting(tx):
    return tx.all("SELECT type, event, message_id, trusted, imported, source, payload FROM intake ORDER BY id")


@pytest.mark.parametrize(("call", "body"), CALLS)
def test_each_call_is_answered_with_exactly_success(profile_api, profile_tx, call, body):
    reply = profile_api.as_key("collect").post(f"/v1/{call}", json=body)
    assert (reply.status_code, reply.json) == (200, {"success": True})
    assert [row["type"] for row in waiting(profile_tx)] == [call]


def test_a_batch_is_kept_before_it_is_answered(profile_api, profile_tx):
    reply = profile_api.as_key("server").post("/v1/batch", json={"batch": [GOOD, GOOD]})
    assert reply.json == {"success": True}
    assert len(waiting(profile_tx)) == 2


def test_an_empty_batch_is_no_mistake(profile_api):
    assert profile_api.post("/v1/batch", json={"batch": []}).json == {"success": True}


def test_the_key_may_stand_where_sdks_put_it(profile_api, services):
    key = services.key("collect")
    basic = base64.b64encode(f"{key}:".encode()).decode()
    anybody = profile_api.as_key(None)
    for options in (
        {"headers": {"Authorization": f"Basic {basic}"}},
        {"headers": {"Authorization": f"Bearer {key}"}},
        {"headers": {"X-Write-Key": key}},
        {"query_string": {"writeKey": key}},
    ):
        assert anybody.post("/v1/batch", json={"batch": [GOOD]}, **options).status_code == 200
    assert anybody.post("/v1/batch", json={"batch": [GOOD], "writeKey": key}).status_code == 200
    assert anybody.post("/v1/track", json={**GOOD, "writeKey": key}).status_code == 200


@pytest.mark.parametrize("body", [{"batch": [GOOD]}, {"batch": [GOOD], "writeKey": "zk_collect_wrong"}, "no batch"])
def test_without_a_good_key_nothing_is_taken(profile_api, profile_tx, body):
    reply = profile_api.as_key(None).post("/v1/batch", json=body)
    assert reply.status_code == 401
    assert {"code", "message"} <= reply.json.keys()
    assert waiting(profile_tx) == []


def test_a_public_key_may_not_import_history(profile_api):
    assert profile_api.as_key("collect").post("/v1/import", json={"batch": [GOOD]}).status_code == 403
    assert profile_api.as_key("storefront").post("/v1/batch", json={"batch": [GOOD]}).status_code == 403


def test_a_compressed_body_is_read_whatever_its_content_type_says(profile_api, profile_tx):
    body = json.dumps({"batch": [GOOD]}).encode()
    for packed, encoding in (
        (gzip.compress(body), "gzip"),
        (zlib.compress(body), "deflate"),
        (gzip.compress(body), ""),
    ):
        reply = profile_api.post(
            "/v1/batch",
            data=packed,
            headers={"Content-Encoding": encoding},
            content_type="application/x-www-form-urlencoded",
        )
        assert reply.status_code == 200, reply.json
    assert len(waiting(profile_tx)) == 3


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"not gzip", "gzip"),
        (gzip.compress(b'{"batch": []}')[:-9], "gzip"),
        (b"{}", "br"),
        (b"not json", ""),
        (b"", ""),
    ],
    ids=["not gzip", "cut gzip", "unknown encoding", "not JSON", "nothing"],
)
def test_what_cannot_be_read_is_a_bad_request(profile_api, data, encoding):
    reply = profile_api.post("/v1/batch", data=data, headers={"Content-Encoding": encoding})
    assert reply.status_code == 400
    assert {"code", "message"} <= reply.json.keys()


def test_a_small_body_does_not_unfold_into_a_huge_one(profile_api):
    bomb = gzip.compress(b'{"batch": [' + b" " * 50_000_000 + b"]}")
    reply = profile_api.post("/v1/batch", data=bomb, headers={"Content-Encoding": "gzip"})
    assert reply.status_code == 413


@pytest.mark.parametrize(
    ("kind", "path", "kib", "status"),
    [
        ("collect", "/v1/track", 31, 200),
        ("collect", "/v1/track", 33, 413),
        ("server", "/v1/track", 1000, 200),
        ("server", "/v1/track", 1030, 413),
        ("collect", "/v1/batch", 520, 413),
        ("server", "/v1/batch", 520, 200),
        ("server", "/v1/batch", 4200, 413),
    ],
)
def test_what_is_too_large_for_its_key_is_refused_as_such(profile_api, kind, path, kib, status):
    event = {**GOOD, "properties": {"text": "x" * (kib * 1024)}}
    body = event if path == "/v1/track" else {"batch": [GOOD, event]}
    assert profile_api.as_key(kind).post(path, json=body).status_code == status


def test_an_event_too_large_for_its_key_is_set_aside_and_its_neighbours_are_kept(profile_api, profile_tx):
    large = {**GOOD, "messageId": "large", "properties": {"text": "x" * 33_000}}
    reply = profile_api.as_key("collect").post("/v1/batch", json={"batch": [GOOD, large, GOOD]})
    assert (reply.json["accepted"], reply.json["rejected"]) == (2, 1)
    assert len(waiting(profile_tx)) == 2


BAD = [
    b"5",
    b"{}",
    b'{"type": "track", "userId": "mei"}',
    b'{"type": "page"}',
    rb'{"type": "page", "userId": "mei", "name": "\u0000"}',
    rb'{"type": "page", "userId": "mei", "name": "\ud800"}',
    b'{"type": "page", "userId": "mei", "properties": {"n": 1e999999}}',
    b'{"type": "page", "userId": "mei", "properties": {"n": 1e308, "m": 1e309}}',
    b'{"type": "page", "userId": "mei", "properties": ' + b"[" * 3000 + b"]" * 3000 + b"}",
    b'{"type": "page", "userId": "mei", "timestamp": "0001-01-01T00:00:00Z"}',
    b'{"type": "page", "userId": "mei", "timestamp": "99999-01-01T00:00:00Z"}',
    b'{"type": "page", "userId": "mei", "name": "\xff\xfe"}',
]


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_event_is_set_aside_and_its_neighbours_are_kept(tea_house, bad):
    good = json.dumps(GOOD).encode()
    reply = tea_house.api.as_key("server").post(
        "/v1/batch", data=b'{"batch": [' + good + b"," + bad + b"," + good + b"]}"
    )
    assert reply.status_code == 200
    assert (reply.json["success"], reply.json["accepted"], reply.json["rejected"]) == (True, 2, 1)
    assert tea_house.append() == 2
    aside = tea_house.tx.all("SELECT reasons, body FROM rejected_event")
    assert len(aside) == 1
    assert aside[0]["reasons"][0]["message"]
    assert aside[0]["body"].startswith("enc:1:")


def test_a_bad_event_alone_is_refused_with_the_place_and_set_aside(profile_api, profile_tx):
    reply = profile_api.as_key("server").post("/v1/track", json={"userId": "mei"})
    assert reply.status_code == 400
    assert reply.json["errors"] == [{"path": "event", "message": "a track event needs a name in `event`"}]
    assert profile_tx.value("SELECT count(*) FROM rejected_event") == 1


def test_every_number_that_json_knows_and_postgres_takes_is_kept(tea_house):
    numbers = [0, -1, 2**70, 1.5, 1e300, 5e-324, 123456789012345678901234567890]
    tea_house.send(track("Counted", "mei", properties={"numbers": numbers}))
    kept = tea_house.log("payload")[0]["payload"]["properties"]["numbers"]
    assert [float(number) for number in kept] == [float(number) for number in numbers]


def test_no_particular_is_readable_in_what_is_stored(tea_house):
    tea_house.api.as_key("server").post(
        "/v1/batch",
        json={
            "batch": [
                {
                    "type": "identify",
                    "userId": "secret@example.com",
                    "traits": {"name": "Secretmei", "phone": "13812345678"},
                },
                {"type": "track", "event": "x", "userId": "mei", "properties": {"shipping_address": "Secret Lane 1"}},
                {"type": "identify", "traits": {"email": "secret@example.com"}, "timestamp": "never"},
            ]
        },
    )
    for table in ("intake", "rejected_event"):
        stored = str(tea_house.tx.all(f"SELECT t::text FROM {table} t"))
        assert "ecret" not in stored
        assert "13812345678" not in stored
    tea_house.append()
    for table in ("event_log", "identity", "identity_trait", "customer", "customer_name_token", "intake"):
        stored = str(tea_house.tx.all(f"SELECT t::text FROM {table} t")).lower()
        assert "secret" not in stored, table
        assert "13812345678" not in stored, table


def test_the_collector_does_not_need_the_queue(profile_api, monkeypatch):
    import redis

    from shared import queue

    def gone(*_args, **_options):
        raise redis.ConnectionError("gone")

    monkeypatch.setattr(redis.Redis, "execute_command", gone)
    assert queue.valkey() is not None
    assert profile_api.as_key("collect").post("/v1/batch", json={"batch": [GOOD]}).status_code == 200
