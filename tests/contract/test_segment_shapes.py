"""The requests that tracking SDKs make, in their own shapes: each is taken whole.

Written down from what the SDKs send (headers, encodings, nulls, extra fields); the ids and events are ours.
"""

import gzip
import json
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.profile.actions import append

NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Recorded:
    """One request of an SDK, and what must be in the log after it: (type, event, user, anonymous id)."""

    sdk: str
    path: str
    headers: dict[str, str]
    body: bytes
    expected: list[tuple[str, str | None, str | None, str | None]]
    basic: bool = True
    query_key: bool = False
    body_key: bool = False


def at(minutes_ago: float = 0, *, zone: str = "Z") -> str:
    return (NOW - timedelta(minutes=minutes_ago)).isoformat(timespec="milliseconds").replace("+00:00", zone)


def dumped(body: Any, *, packed: bool = False) -> bytes:
    raw = json.dumps(body).encode()
    return gzip.compress(raw) if packed else raw


SEGMENT_PYTHON = Recorded(
    "segment-analytics-python",
    "/v1/batch",
    {"Content-Type": "application/json", "User-Agent": "analytics-python/2.4.0"},
    dumped(
        {
            "batch": [
                {
                    "integrations": {},
                    "anonymousId": None,
                    "timestamp": at(1, zone="+00:00"),
                    "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
                    "type": "identify",
                    "userId": "mei",
                    "traits": {"name": "梅", "email": "mei@example.com", "age": None},
                    "messageId": "9d0b6c6e-6b8c-4b43-8d0e-5a1f0c1b8a01",
                },
                {
                    "integrations": {},
                    "anonymousId": None,
                    "properties": {"price": 12.5, "products": [{"product_id": "7", "name": "龙井"}]},
                    "timestamp": at(zone="+00:00"),
                    "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
                    "userId": "mei",
                    "type": "track",
                    "event": "Order Completed",
                    "messageId": "9d0b6c6e-6b8c-4b43-8d0e-5a1f0c1b8a02",
                },
            ],
            "sentAt": at(zone="+00:00"),
            "writeKey": "the key is in Basic as well",
        }
    ),
    [("identify", None, "mei", None), ("track", "Order Completed", "mei", None)],
)

RUDDER_PYTHON = Recorded(
    "rudder-sdk-python",
    "/v1/batch",
    {"Content-Type": "application/json", "Content-Encoding": "gzip", "User-Agent": "rudderstack-python/2.1.9"},
    dumped(
        {
            "batch": [
                {
                    "integrations": {},
                    "anonymousId": "a1",
                    "originalTimestamp": at(1, zone="+00:00"),
                    "context": {
                        "traits": {"email": "mei@example.com", "plan": "gold"},
                        "library": {"name": "rudder-analytics-python", "version": "2.1.9"},
                    },
                    "type": "identify",
                    "userId": "mei",
                    "channel": "server",
                    "messageId": "9d0b6c6e-6b8c-4b43-8d0e-5a1f0c1b8a03",
                    "sentAt": None,
                }
            ],
            "sentAt": at(zone="+00:00"),
        },
        packed=True,
    ),
    [("identify", None, "mei", "a1")],
)

SEGMENT_NODE = Recorded(
    "@segment/analytics-node",
    "/v1/batch",
    {"Content-Type": "application/json", "User-Agent": "analytics-node-next/3.1.0", "X-Retry-Count": "1"},
    dumped(
        {
            "batch": [
                {
                    "type": "page",
                    "userId": "mei",
                    "name": "Tea",
                    "category": None,
                    "properties": {"name": "Tea"},
                    "context": {"library": {"name": "@segment/analytics-node", "version": "3.1.0"}},
                    "integrations": {},
                    "timestamp": at(),
                    "messageId": "node-next-1779264000000-9d0b6c6e",
                    "_metadata": {"nodeVersion": "24.1.0", "jsRuntime": "node"},
                }
            ],
            "writeKey": "x",
            "sentAt": at(),
        }
    ),
    [("page", "Tea", "mei", None)],
)

RUDDER_NODE = Recorded(
    "@rudderstack/rudder-sdk-node",
    "/v1/batch",
    {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"},
    dumped(
        {
            "batch": [
                {
                    "type": "alias",
                    "userId": "mei",
                    "previousId": "mei",
                    "context": {"library": {"name": "analytics-node", "version": "3.0.0"}},
                    "originalTimestamp": at(2),
                    "channel": "server",
                    "messageId": "node-9d0b6c6e-1",
                    "_metadata": {"nodeVersion": "24.1.0"},
                },
                {
                    "type": "group",
                    "anonymousId": "a1",
                    "groupId": "tea-club",
                    "traits": {"name": "Tea Club"},
                    "context": {"library": {"name": "analytics-node", "version": "3.0.0"}},
                    "originalTimestamp": at(1),
                    "messageId": "node-9d0b6c6e-2",
                },
            ],
            "sentAt": at(),
        },
        packed=True,
    ),
    [("alias", None, "mei", None), ("group", None, None, "a1")],
)

RUDDER_BROWSER = Recorded(
    "@rudderstack/analytics-js",
    "/v1/track",
    {"Content-Type": "application/json", "AnonymousId": "YTE=", "SentAt": at()},
    dumped(
        {
            "type": "track",
            "event": "Product Viewed",
            "userId": "",
            "anonymousId": "a1",
            "channel": "web",
            "properties": {"product_id": "7"},
            "context": {
                "traits": {},
                "sessionId": 1779264000000,
                "sessionStart": True,
                "page": {"url": "https://shop.example/tea", "path": "/tea", "referrer": "$direct", "search": ""},
                "screen": {"width": 1440, "height": 900, "density": 2, "innerWidth": 1440, "innerHeight": 700},
                "locale": "zh-CN",
                "timezone": "GMT+0800",
                "campaign": {},
                "trackingPlanId": None,
            },
            "originalTimestamp": at(),
            "sentAt": at(),
            "integrations": {"All": True},
            "messageId": "9d0b6c6e-6b8c-4b43-8d0e-5a1f0c1b8a04",
        }
    ),
    [("track", "Product Viewed", None, "a1")],
)

BEACON = Recorded(
    "a beacon of a browser, without a header of its own",
    "/v1/batch",
    {"Content-Type": "text/plain"},
    dumped(
        {"batch": [{"type": "screen", "anonymousId": "a1", "name": "Cart", "originalTimestamp": at()}], "sentAt": at()}
    ),
    [("screen", "Cart", None, "a1")],
    basic=False,
    query_key=True,
)

SINGLE_WITH_KEY_IN_BODY = Recorded(
    "Segment's HTTP API by hand",
    "/v1/identify",
    {"Content-Type": "application/json"},
    dumped(
        {
            "userId": "019mr8mf4r",
            "traits": {"email": "pgibbons@example.com", "name": "Peter Gibbons"},
            "context": {"ip": "192.0.2.47"},
            "timestamp": "2012-12-02T00:30:08.276Z",
            "email": "pgibbons@example.com",
        }
    ),
    [("identify", None, "019mr8mf4r", None)],
    basic=False,
    body_key=True,
)

RECORDED = [
    SEGMENT_PYTHON,
    RUDDER_PYTHON,
    SEGMENT_NODE,
    RUDDER_NODE,
    RUDDER_BROWSER,
    BEACON,
    SINGLE_WITH_KEY_IN_BODY,
]


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded.sdk)
@pytest.mark.parametrize("kind", ["collect", "server"])
def test_what_an_sdk_sends_is_taken_whole(services, profile_api, profile_tx, recorded, kind):
    key = services.key(kind)
    headers, body, query = dict(recorded.headers), recorded.body, {}
    if recorded.basic:
        headers["Authorization"] = f"Basic {b64encode(f'{key}:'.encode()).decode()}"
    if recorded.query_key:
        query = {"writeKey": key}
    if recorded.body_key:
        body = dumped({**json.loads(body), "writeKey": key})
    reply = profile_api.as_key(None).post(recorded.path, data=body, headers=headers, query_string=query)
    assert (reply.status_code, reply.get_json(force=True)) == (200, {"success": True})
    with services.acting("profile"):
        append.drain()
    log = profile_tx.all("SELECT * FROM profile_out.events_v1 WHERE type NOT IN ('merge', 'split') ORDER BY position")
    told = [
        (row["type"], row["event"], row["payload"].get("userId") or None, row["payload"].get("anonymousId"))
        for row in log
    ]
    assert told == recorded.expected
    assert all(row["customer_id"] for row in log)
    assert all(abs((row["occurred_at"] - NOW).total_seconds()) < 600 or row["occurred_at"].year == 2012 for row in log)


def test_sdks_can_read_a_refusal(profile_api):
    """rudder-sdk-python retries a 400 that has no `code` and `message`; a 401 makes clients drop, a 413 too."""
    for path, data, status in (
        ("/v1/batch", b"{", 400),
        ("/v1/track", b'{"userId": "mei"}', 400),
        ("/v1/batch", b'{"batch": [' + b" " * 600_000 + b"]}", 413),
    ):
        reply = profile_api.as_key("collect").post(path, data=data)
        assert reply.status_code == status
        assert reply.is_json
        assert {"code", "message"} <= reply.json.keys()
