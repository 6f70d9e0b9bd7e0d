"""Manners of every service: problems, request ids, scopes, tokens, ETags, idempotency, health."""

import base64
import dataclasses
import io
import logging

import jwt
import orjson
import pytest
import time_machine
from marshmallow import Schema, fields

from shared import auth, crypto, database, idempotency, queue, web
from shared.blueprint import Blueprint
from shared.problems import BadRequest, Invalid, NotFound
from tests.conftest import ServiceApi, Services


class RuleError(ValueError):
    code = "rule_invalid"
    errors = ({"path": "rule.all[0].op", "message": "unknown operator"},)


class Order(Schema):
    quantity = fields.Integer(required=True)


blueprint = Blueprint("orders", __name__, url_prefix="/v1/orders")
carried_out: list[str] = []


@blueprint.get("/<number>")
@auth.require("orders:read")
def get_order(number):
    if number == "rule":
        raise RuleError("the rule cannot be understood")
    if number == "crash":
        raise ZeroDivisionError("secret detail")
    if number == "who":
        return web.json_bytes({"kind": auth.principal().kind, "name": auth.principal().name})
    if number != "7":
        raise NotFound(f"there is no order {number}")
    web.set_etag(3)
    return web.json_bytes({"number": 7})


@blueprint.put("/<number>")
@auth.require("orders:write")
@blueprint.arguments(Order)
def put_order(_order, number):
    web.check_match(3)
    return web.json_bytes({"number": number})


@blueprint.post("/")
@auth.require("orders:write")
@idempotency.idempotent
def post_order():
    carried_out.append("order")
    return web.json_bytes({"orders": len(carried_out)}, 201)


@pytest.fixture
def api(services: Services) -> ServiceApi:
    carried_out.clear()
    app = web.create_app(services.settings("profile"), [blueprint], errors={RuleError: Invalid})
    return ServiceApi(services, "profile", app.test_client())


def problem(reply) -> dict:
    assert reply.content_type == "application/problem+json"
    body = orjson.loads(reply.data)
    assert body["status"] == reply.status_code
    assert body["request_id"] == reply.headers["X-Request-Id"]
    return body


def test_a_rule_broken_in_the_domain_is_told_with_its_path(api):
    body = problem(api.get("/v1/orders/rule"))
    assert (body["status"], body["code"], body["detail"]) == (422, "rule_invalid", "the rule cannot be understood")
    assert body["errors"] == [{"path": "rule.all[0].op", "message": "unknown operator"}]


def test_an_unexpected_failure_tells_the_caller_nothing_of_our_inside(api):
    body = problem(api.get("/v1/orders/crash"))
    assert body["code"] == "internal_error"
    assert "secret" not in str(body)
    assert "ZeroDivision" not in str(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"quantity": ' + b"9" * 5000 + b"}",
        b"9" * 5000,
        b'{"quantity": NaN}',
        b'{"quantity": "\\ud800"}',
        b'{"quantity": "\xff"}',
        b"[" * 100_000,
        b'{"quantity": 1',
    ],
    ids=["5,000 digits", "a bare number", "NaN", "half a character", "not UTF-8", "nested", "cut off"],
)
def test_a_body_that_nothing_could_hold_is_refused_where_it_comes_in(api, body):
    reply = api.put("/v1/orders/7", data=body, content_type="application/json")
    assert problem(reply)["status"] in (400, 422)


@pytest.mark.parametrize(("length", "read"), [(1_000_000, 1_000_000), (web.MAX_BODY + 1, 0)])
def test_what_a_refused_request_still_has_to_say_is_heard_unless_it_is_too_much(api, length, read):
    body = io.BytesIO(b" " * length)
    reply = api.as_key(None).post("/v1/orders/", input_stream=body, content_length=length)
    assert problem(reply)["status"] == 401
    assert body.tell() == read


def test_a_body_that_nobody_asked_for_is_heard_to_its_end(api):
    body = io.BytesIO(b" " * 300_000)
    assert api.get("/v1/orders/7", input_stream=body, content_length=300_000).status_code == 200
    assert body.tell() == 300_000


@pytest.mark.parametrize("body", [{"quantity": "\0"}, {"quantity": 1, "\0": 1}, ["\0"], {"quantity": [{"a": "\0"}]}])
def test_a_text_with_a_null_character_is_refused_before_it_reaches_the_database(api, body):
    reply = api.put("/v1/orders/7", json=body)
    assert problem(reply)["errors"][0]["message"] == "a text cannot hold the character U+0000"


@pytest.mark.parametrize("address", ["/v1/orders/%00", "/v1/orders/7?x=%00", "/v1/orders/7?%00"])
def test_an_address_with_a_null_character_leads_nowhere(api, address):
    assert problem(api.get(address))["status"] == 400


def test_half_a_character_of_the_request_can_be_repeated_in_an_answer(api):
    with api._client.application.test_request_context():
        answer = web.problem_response(NotFound("there is no order \ud800"))
    assert orjson.loads(answer.get_data().replace(b"\\ud800", b"?"))["detail"] == "there is no order ?"


@pytest.mark.parametrize("values", [["\0"], "text", {"a": 1}, 7, None])
def test_a_cursor_that_no_list_of_ours_made_is_refused(values):
    text = base64.urlsafe_b64encode(orjson.dumps(values)).rstrip(b"=").decode()
    with pytest.raises(BadRequest):
        web.decode_cursor(text)


def test_unknown_fields_and_wrong_types_are_named(api):
    body = problem(api.put("/v1/orders/7", json={"quantity": "many", "colour": "red"}))
    assert {error["path"] for error in body["errors"]} == {"quantity", "colour"}


@pytest.mark.parametrize("path", ["/v1/orders/8", "/v1/nothing"])
def test_what_is_not_there_is_a_problem_too(api, path):
    assert problem(api.get(path))["status"] == 404


def test_a_wrong_method_says_which_are_right(api):
    reply = api.delete("/v1/orders/7")
    assert problem(reply)["status"] == 405
    assert "PUT" in reply.headers["Allow"]


def test_a_body_that_is_not_json_is_refused_clearly(api):
    reply = api.put("/v1/orders/7", data="{", content_type="application/json")
    assert problem(reply)["status"] in (400, 422)


def test_the_request_id_of_the_caller_comes_back_and_a_hostile_one_does_not(api):
    assert api.get("/v1/orders/7", headers={"X-Request-Id": "abc-1"}).headers["X-Request-Id"] == "abc-1"
    assert api.get("/v1/orders/7", headers={"X-Request-Id": "<script>"}).headers["X-Request-Id"] != "<script>"


def test_no_key_a_wrong_key_and_a_key_without_the_scope(api):
    assert problem(api.as_key(None).get("/v1/orders/7"))["status"] == 401
    assert problem(api.get("/v1/orders/7", headers={"Authorization": "Bearer zk_admin_guess"}))["code"] == "key_invalid"
    body = problem(api.as_key("collect").get("/v1/orders/7"))
    assert body["status"] == 403
    assert "orders:read" in body["detail"]


def test_a_service_token_lets_a_sibling_in_and_ends_after_a_minute(api, services):
    with services.acting("profile"), time_machine.travel("2026-03-01T08:00:00Z", tick=False) as clock:
        headers = {"Authorization": f"Bearer {auth.service_token('campaign', 'profile')}"}
        assert orjson.loads(api.get("/v1/orders/who", headers=headers).data) == {"kind": "service", "name": "campaign"}
        clock.shift(61)
        assert problem(api.get("/v1/orders/who", headers=headers))["code"] == "token_expired"


@pytest.mark.parametrize("change", ["audience", "key", "algorithm", "scope"])
def test_a_token_for_another_service_or_signed_by_another_is_refused(api, services, change):
    with services.acting("profile"):
        claims = {"iss": "campaign", "aud": "profile", "exp": 4_000_000_000, "scopes": ["*"]}
        key, algorithm = crypto.signing_key("service-token"), "HS256"
        if change == "audience":
            claims["aud"] = "segmentation"
        if change == "scope":
            claims["scopes"] = ["items:read"]
        if change == "key":
            key = b"x" * 32
        if change == "algorithm":
            key, algorithm = None, "none"
        token = jwt.encode(claims, key, algorithm=algorithm)
    reply = api.get("/v1/orders/who", headers={"Authorization": f"Bearer {token}"})
    assert problem(reply)["status"] == (403 if change == "scope" else 401)


def test_a_change_on_top_of_an_old_version_is_refused(api):
    version = api.get("/v1/orders/7").headers["ETag"]
    assert api.put("/v1/orders/7", json={"quantity": 1}, headers={"If-Match": version}).status_code == 200
    reply = api.put("/v1/orders/7", json={"quantity": 1}, headers={"If-Match": '"2"'})
    assert problem(reply)["code"] == "changed_meanwhile"


def test_a_repeated_request_with_its_key_is_carried_out_once(api):
    first = api.post("/v1/orders/", json={"a": 1}, headers={"Idempotency-Key": "order-1"})
    again = api.post("/v1/orders/", json={"a": 1}, headers={"Idempotency-Key": "order-1"})
    assert (first.status_code, first.data) == (again.status_code, again.data) == (201, b'{"orders":1}')
    assert again.headers["Idempotent-Replayed"] == "true"
    other = api.post("/v1/orders/", json={"a": 2}, headers={"Idempotency-Key": "order-1"})
    assert problem(other)["code"] == "idempotency_mismatch"


def test_a_request_that_died_with_its_process_keeps_its_idempotency_key_for_minutes_not_for_a_day(api, monkeypatch):
    with monkeypatch.context() as context:
        context.setattr(idempotency, "keep_reply", lambda _reply: None)  # killed before it could
        api.post("/v1/orders/", json={"a": 1}, headers={"Idempotency-Key": "order-2"})
    running = api.post("/v1/orders/", json={"a": 1}, headers={"Idempotency-Key": "order-2"})
    assert problem(running)["code"] == "in_progress"
    (slot,) = [key for key in queue.valkey().scan_iter("once:*") if queue.valkey().strlen(key) == 64]
    assert 0 < queue.valkey().ttl(slot) <= idempotency.IDEMPOTENCY_RUNNING_S


def test_a_database_that_is_away_is_our_trouble_for_now_not_the_callers_mistake(services):
    elsewhere = dataclasses.replace(services.settings("profile"), database_url="postgresql://nobody@127.0.0.1:1/none")
    client = web.create_app(elsewhere, [blueprint]).test_client()
    database.pool().timeout = 0.2  # how long a request waits for a connection
    reply = client.get("/v1/orders/7", headers={"Authorization": "Bearer zk_admin_x"})
    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "2")
    assert problem(reply)["code"] == "unavailable"


def test_a_cursor_of_somebody_else_is_refused_not_believed():
    assert web.decode_cursor(web.encode_cursor("2026", 7)) == ["2026", 7]
    for text in ("%%%", "bm90IGpzb24", "eyJhIjoxfQ"):
        with pytest.raises(web.BadRequest):
            web.decode_cursor(text)


def test_health_metrics_and_the_description_are_open_to_everybody(api):
    everybody = api.as_key(None)
    assert everybody.get("/healthz").status_code == 200
    assert everybody.get("/readyz").status_code == 200
    assert b"http_requests_total" in everybody.get("/metrics").data
    description = orjson.loads(everybody.get("/openapi.json").data)
    assert description["openapi"].startswith("3.1")
    assert "/v1/orders/{number}" in description["paths"]
    assert everybody.get("/docs").headers["Location"].endswith("/reference/profile")


def test_the_log_line_of_a_request_carries_its_id(api, caplog):
    with caplog.at_level(logging.INFO):
        api.get("/v1/orders/8", headers={"X-Request-Id": "find-me"})
    assert any("find-me" in str(record.msg) for record in caplog.records)


def test_a_key_that_runs_away_is_slowed_down_and_told_when_to_come_back(api, monkeypatch):
    monkeypatch.setitem(auth._RATES, "admin", 3)
    replies = [api.get("/v1/orders/7") for _ in range(10)]
    slowed = next(reply for reply in replies if reply.status_code == 429)
    assert slowed.headers["Retry-After"] == "1"
    assert problem(slowed)["code"] == "rate_limited"
