"""Clients that mean harm, against the running platform: floods of bytes, bombs, dawdlers, keys that were taken away."""

import gzip
import http.client
import json
import socket
import time
from contextlib import ExitStack

import psutil
import pytest
import requests

from deploy.topology import port_of
from shared import contracts
from tests.journey.platform import Platform, eventually

TWO_GB = 2 * 1024**3
MIB = 1024**2
LIGHT_ROUTES = {
    "profile": "/v1/log",
    "segmentation": "/v1/segments",
    "recommend": "/v1/items",
    "campaign": "/v1/templates",
    "console": "/v1/shop",
}


def ports(platform: Platform, service: str) -> tuple[int, int]:
    """Where a service is reached: through the proxy, and itself."""
    return platform.base_port, port_of(service, platform.base_port)


def memory(platform: Platform) -> int:
    """Bytes that the API processes and the proxy hold."""
    state = json.loads((platform.data / "state.json").read_text())
    parents = [psutil.Process(one["pid"]) for one in state["processes"] if one["role"].endswith(("-api", "proxy"))]
    every = [process for parent in parents for process in (parent, *parent.children(recursive=True))]
    return sum(process.memory_info().rss for process in every)


def speak(port: int, *pieces: bytes) -> int:
    """The status of the answer to raw bytes; 0 where the connection is closed without one."""
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it stopped listening: what it said before is still to be read
        reply = http.client.HTTPResponse(connection)
        try:
            reply.begin()
        except (http.client.HTTPException, ConnectionError):
            return 0
        return reply.status


def head(platform: Platform, path: str, *fields: str) -> bytes:
    """The beginning of a POST with a good key."""
    lines = [f"POST {path} HTTP/1.1", "Host: shop.example", f"Authorization: Bearer {platform.key('admin')}", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@pytest.mark.parametrize("service", contracts.SERVICES)
def test_two_gigabytes_are_refused_by_their_length_or_as_they_come(platform: Platform, service: str) -> None:
    path = {"profile": "/v1/batch", "console": "/v1/keys"}.get(service, LIGHT_ROUTES[service])
    before = memory(platform)
    chunk = b"%x\r\n%b\r\n" % (MIB, b"a" * MIB)
    for port in ports(platform, service):
        declared = head(platform, path, f"Content-Length: {TWO_GB}", "Content-Type: application/json")
        assert speak(port, declared, *[b"[" * MIB] * 64) in (0, 400, 405, 413)
        chunked = head(platform, path, "Transfer-Encoding: chunked", "Content-Type: application/json")
        assert speak(port, chunked, *[chunk] * 64) in (0, 400, 405, 413)
    assert memory(platform) - before < 256 * MIB
    assert platform.call("GET", LIGHT_ROUTES[service]).status_code == 200


def test_who_sends_more_than_a_public_key_may_is_told_so_and_not_to_try_again(platform: Platform) -> None:
    """A refusal that is lost in the rest of the body would be a 503, which every SDK repeats."""
    body = b"[" * (4 * MIB)
    assert {platform.call("POST", "/v1/batch", "collect", data=body).status_code for _ in range(8)} == {413}


@pytest.mark.parametrize(("path", "field"), [("/v1/shop?q=" + "a" * 9000, "X: y"), ("/v1/shop", "Expect: nonsense")])
def test_what_is_refused_before_a_service_hears_of_it_is_told_in_the_same_shape(
    platform: Platform, path: str, field: str
) -> None:
    url = f"http://127.0.0.1:{port_of('console', platform.base_port)}{path}"
    reply = requests.get(url, headers=dict([field.split(": ")]), timeout=10)
    assert reply.status_code in (414, 417)
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert {"status", "title", "detail", "code"} <= set(reply.json())


def test_a_bomb_of_gzip_or_of_brackets_is_refused(platform: Platform) -> None:
    bomb = gzip.compress(b"[" * (512 * MIB), 9)
    assert len(bomb) < MIB
    before = memory(platform)
    reply = platform.call("POST", "/v1/batch", "server", data=bomb, headers={"Content-Encoding": "gzip"})
    assert reply.status_code == 413
    deep = b'{"batch":' + b"[" * 2_000_000
    assert platform.call("POST", "/v1/batch", "server", data=deep).status_code == 400
    for path in ("/v1/segments", "/v1/templates", "/v1/keys"):
        reply = platform.call("POST", path, data=deep, headers={"Content-Type": "application/json"})
        assert reply.status_code in (400, 422)
    assert memory(platform) - before < 256 * MIB


@pytest.mark.parametrize("service", contracts.SERVICES)
def test_dawdlers_keep_nobody_waiting(platform: Platform, service: str) -> None:
    """Forty connections that send the half of a head or of a body: five times the threads a service has."""
    halves = [b"GET / HTTP/1.1\r\nHost: shop", head(platform, LIGHT_ROUTES[service], "Content-Length: 1000") + b"{"]
    with ExitStack() as stack:
        for number in range(40):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", platform.base_port), 10))
            connection.sendall(halves[number % 2])
        time.sleep(0.5)
        for _ in range(3):
            assert platform.call("GET", LIGHT_ROUTES[service]).status_code == 200


def test_a_request_within_a_request_is_answered_once(platform: Platform) -> None:
    """Two lengths, or a length and chunks, are how a second request is smuggled past a proxy."""
    inner = b"GET /v1/keys HTTP/1.1\r\nHost: x\r\n\r\n"
    for fields in (
        ("Content-Length: 4", f"Content-Length: {len(inner)}"),
        (f"Content-Length: {len(inner)}", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
        ("Transfer-Encoding: xchunked",),
    ):
        for port in ports(platform, "console"):
            with socket.create_connection(("127.0.0.1", port), 10) as connection:
                connection.settimeout(2)
                connection.sendall(head(platform, "/v1/keys", *fields) + inner)
                said = b""
                try:
                    while piece := connection.recv(65536):
                        said += piece
                except (TimeoutError, ConnectionError):
                    pass
            assert said.count(b"HTTP/1.1 200") == 0, (fields, said[:300])


def test_a_revoked_key_stops_in_every_service_within_five_seconds(platform: Platform) -> None:
    made = platform.post("/v1/keys", {"name": "short-lived", "kind": "admin"})
    header = {"Authorization": f"Bearer {made['secret']}"}

    def statuses() -> set[int]:
        return {
            requests.get(f"http://127.0.0.1:{port}{path}", headers=header, timeout=10).status_code
            for service, path in LIGHT_ROUTES.items()
            for port in ports(platform, service)
        }

    assert statuses() == {200}  # and every process has it in its cache
    platform.call("DELETE", f"/v1/keys/{made['key_id']}")
    revoked = time.monotonic()
    eventually(lambda: time.monotonic() - revoked > 4.5, 10)
    assert statuses() == {401}


@pytest.mark.parametrize(
    "path",
    [
        *("/static/../../../../etc/passwd", "/static/..%2f..%2f..%2fetc/passwd", "/static/%2e%2e/%2e%2e/etc/passwd"),
        *(
            "/e/../v1/keys",
            "/e/v/..%2f..%2fv1/keys",
            "//v1/keys",
            "/v1/items/..%2f..%2fkeys",
            "/openapi/../v1/keys.json",
        ),
        *("/openapi/..%2f..%2fmetrics.json", "/v1/batch/../../metrics", "/reference/..%2f..%2fmetrics"),
    ],
)
def test_no_path_leads_out_of_where_it_begins(platform: Platform, path: str) -> None:
    wire = f"GET {path} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", platform.base_port), 10) as connection:
        connection.sendall(wire)
        said = b"".join(iter(lambda: connection.recv(65536), b""))
    assert said.split(b" ", 2)[1] in (b"302", b"308", b"400", b"401", b"404"), said[:200]
    assert b"root:" not in said
    assert b"http_requests_total" not in said
