"""What must not pass at the front door: a clear problem for each, and nothing lost or left behind."""

import re
import time
from typing import Any

import jwt
import pytest
import requests

from deploy import secrets
from shared import contracts, crypto
from shared.ids import uuid7
from tests.journey.platform import Platform, eventually

COLLECT = {"/v1/track", "/v1/identify", "/v1/page", "/v1/screen", "/v1/group", "/v1/alias", "/v1/batch"}


def problem(reply: requests.Response) -> dict[str, Any]:
    """The problem an answer states, in the one shape all of them have."""
    assert reply.headers["Content-Type"].startswith("application/problem+json"), reply.text[:300]
    body: dict[str, Any] = reply.json()
    assert body["status"] == reply.status_code
    assert body["title"]
    assert body["detail"]
    assert body["code"]
    return body


def signing_key(platform: Platform, purpose: str) -> bytes:
    """The platform's own key for one purpose, from its secrets file."""
    return crypto.derive(secrets.load(platform.data)["ZHIKE_SECRET_KEY"].encode(), f"sign:{purpose}")


@pytest.mark.parametrize("service", contracts.SERVICES)
def test_a_collect_key_opens_nothing_but_the_collector(platform: Platform, service: str) -> None:
    described = platform.call("GET", f"/openapi/{service}.json", None).json()
    routes = [
        (method.upper(), re.sub(r"{[^}]*id}", str(uuid7()), path))
        for path, methods in described["paths"].items()
        for method in methods
        if method != "parameters" and path not in COLLECT
    ]
    assert routes, f"{service} describes no routes"
    opened = []
    for method, path in routes:
        reply = platform.call(method, re.sub(r"{[^}]*}", "x", path), "collect", json={})
        if reply.status_code not in (401, 403):
            opened.append(f"{method} {path}: {reply.status_code}")
        else:
            problem(reply)
    assert opened == []


@pytest.mark.parametrize("secret", ["zk_server_" + "0" * 43, "zk_admin_", "nonsense", "a.b.c", "知客"])
def test_a_key_that_is_none_is_refused(platform: Platform, secret: str) -> None:
    reply = platform.call("GET", "/v1/segments", None, headers={"Authorization": f"Bearer {secret}".encode()})
    assert reply.status_code == 401
    problem(reply)


def test_a_revoked_key_stops(platform: Platform) -> None:
    made = platform.post("/v1/keys", {"name": "short-lived", "kind": "server"})
    header = {"Authorization": f"Bearer {made['secret']}"}
    assert platform.call("GET", "/v1/segments", None, headers=header).status_code == 200
    platform.call("DELETE", f"/v1/keys/{made['key_id']}")
    eventually(lambda: platform.call("GET", "/v1/segments", None, headers=header).status_code == 401)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"exp": -5}, "token_expired"),
        ({"aud": "campaign"}, "token_invalid"),
        ({"key": b"another key of thirty-two bytes!"}, "token_invalid"),
        ({"algorithm": "none"}, "token_invalid"),
    ],
    ids=["expired", "for another service", "signed by somebody else", "not signed"],
)
def test_a_service_token_that_is_not_good_is_refused(platform: Platform, change: dict[str, Any], code: str) -> None:
    now = int(time.time())
    claims = {"iss": "campaign", "aud": "segmentation", "iat": now, "exp": now + 60, "scopes": ["*"]}
    claims |= {"exp": now + change["exp"]} if "exp" in change else {}
    claims |= {"aud": change["aud"]} if "aud" in change else {}
    algorithm = change.get("algorithm", "HS256")
    key = None if algorithm == "none" else change.get("key") or signing_key(platform, "service-token")
    token = jwt.encode(claims, key, algorithm=algorithm)
    reply = platform.call("GET", "/v1/segments", None, headers={"Authorization": f"Bearer {token}"})
    assert (reply.status_code, problem(reply)["code"]) == (401, code)


@pytest.mark.parametrize("way", ["c/{}", "o/{}.gif", "u/{}", "v/{}"])
@pytest.mark.parametrize("token", ["forged", "AAAA", "x" * 2000])
def test_a_link_that_is_not_ours_leads_nowhere(platform: Platform, way: str, token: str) -> None:
    reply = requests.get(
        f"{platform.url}/e/{way.format(token)}",
        headers={"Accept": "application/json"},
        allow_redirects=False,
        timeout=10,
    )
    assert reply.status_code == 404
    assert "Location" not in reply.headers


def test_an_expired_link_leads_nowhere(platform: Platform) -> None:
    crypto._keys.signing = {"click": signing_key(platform, "click")}
    payload = {"s": uuid7().hex, "n": 1, "u": "https://shop.example/"}
    expired, good = crypto.sign("click", payload, ttl_s=-1), crypto.sign("click", payload, ttl_s=60)
    follow = {"headers": {"Accept": "application/json"}, "allow_redirects": False, "timeout": 10}
    assert requests.get(f"{platform.url}/e/c/{good}", **follow).headers["Location"] == "https://shop.example/"
    reply = requests.get(f"{platform.url}/e/c/{expired}", **follow)
    assert reply.status_code == 404
    problem(reply)


@pytest.mark.parametrize(
    "html",
    [
        "{% for a in (1..9999) %}{% for b in (1..9999) %}{% for c in (1..9999) %}x{% endfor %}{% endfor %}{% endfor %}",
        "{% assign x = 'xxxxxxxx' %}" + "{% assign x = x | append: x %}" * 40 + "{{ x }}",
        "{% for a in (1..9999999999) %}x{% endfor %}",
    ],
    ids=["loops in loops", "doubling text", "one long loop"],
)
def test_a_template_that_would_never_end_is_not_saved(platform: Platform, html: str) -> None:
    name = f"endless {uuid7()}"
    reply = platform.call("POST", "/v1/templates", json={"name": name, "subject": "Tea", "html": html})
    assert reply.status_code == 422
    assert problem(reply)["errors"][0]["path"].startswith("html")
    assert name not in {template["name"] for template in platform.get("/v1/templates", limit=200)["items"]}


@pytest.mark.parametrize(
    "rule",
    [
        "everybody",
        {},
        {"all": "everybody"},
        {"feature": "shoe_size", "op": ">=", "value": 1},
        {"feature": "orders", "op": "resembles", "value": 1},
        {"feature": "orders", "op": ">=", "value": "1); DROP TABLE segment; --"},
        {"all": [{"feature": "orders", "op": ">=", "value": 1}, {"nobody": True}]},
        {"segment": "00000000-0000-0000-0000-000000000000"},
    ],
    ids=repr,
)
def test_a_rule_that_is_none_makes_no_segment(platform: Platform, rule: Any) -> None:
    name = f"no rule {uuid7()}"
    reply = platform.call("POST", "/v1/segments", json={"name": name, "rule": rule})
    assert reply.status_code == 422
    assert problem(reply)["errors"]
    assert platform.call("POST", "/v1/segments/preview", json={"rule": rule}).status_code == 422
    assert name not in {segment["name"] for segment in platform.get("/v1/segments", limit=200)["items"]}


def test_a_bad_event_is_set_aside_and_its_neighbours_arrive(platform: Platform) -> None:
    person = f"mei-{uuid7().hex}"
    good = [{"type": "track", "event": "Tea Poured", "userId": person, "messageId": str(uuid7())} for _ in range(2)]
    bad = {"type": "track", "userId": person, "messageId": str(uuid7())}
    reply = platform.call("POST", "/v1/batch", "server", json={"batch": [good[0], bad, good[1]]})
    assert reply.status_code == 200
    customer = eventually(lambda: platform.customer(f"user_id:{person}"))
    events = platform.get(f"/v1/customers/{customer['customer_id']}/events")["items"]
    assert {event["message_id"] for event in events} == {event["messageId"] for event in good}
    set_aside = [
        item for item in platform.get("/v1/rejected-events", limit=50)["items"] if bad["messageId"] in str(item)
    ]
    assert len(set_aside) == 1
    assert set_aside[0]["reasons"]
    repaired = {**bad, "event": "Tea Poured"}
    platform.post(f"/v1/rejected-events/{set_aside[0]['rejected_id']}/replay", {"event": repaired})
    eventually(lambda: len(platform.get(f"/v1/customers/{customer['customer_id']}/events")["items"]) == 3)
