"""The proxy as a client meets it: routes, nothing private, errors in the shape of all others."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import psutil
import pytest
import requests

from deploy import proxy, topology
from deploy.process import port_is_taken, spawn, stop
from shared.web import MAX_BODY
from tests.journey.platform import eventually, free_block


class Echo(BaseHTTPRequestHandler):
    """A service that says what it was asked."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{self.server.server_address[1]} {self.path}".encode())

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        if len(self.rfile.read(length)) == length:
            self.do_GET()

    def log_message(self, *_: object) -> None: ...


@contextmanager
def service(port: int) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", port), Echo)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A proxy with only profile and console behind it."""
    folder, base = tmp_path_factory.mktemp("proxy"), free_block()
    config = folder / "Caddyfile"
    config.write_text(proxy.local_config(base).replace("lb_try_duration 10s", "lb_try_duration 100ms"))
    with service(topology.port_of("profile", base)), service(topology.port_of("console", base)):
        with (folder / "log").open("wb") as log:
            process = spawn(proxy.command(config, folder), log)
        eventually(lambda: port_is_taken(base))
        yield base, f"http://127.0.0.1:{base}"
        stop(process, signal.SIGTERM, 10.0)


def test_a_path_reaches_its_service_unchanged(address):
    base, url = address
    reply = requests.get(f"{url}/v1/customers/7?x=%2F", timeout=5)
    assert reply.text == f"{topology.port_of('profile', base)} /v1/customers/7?x=%2F"


def test_the_description_of_each_api_has_an_address_of_its_own(address):
    _, url = address
    assert requests.get(f"{url}/openapi/profile.json", timeout=5).text.endswith(" /openapi.json")


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "//metrics", "/%6Detrics", "/x/../metrics"])
def test_what_is_for_operators_stays_inside(address, path):
    _, url = address
    session = requests.Session()
    request = requests.Request("GET", url).prepare()
    request.url = url + path
    reply = session.send(request, timeout=5)
    session.close()
    assert reply.status_code == 404
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.json()["code"] == "not_found"


def test_a_service_that_is_away_is_told_as_a_problem_that_clients_repeat(address):
    _, url = address
    reply = requests.get(f"{url}/v1/items", timeout=5)
    assert reply.status_code == 503
    assert reply.headers["Retry-After"] == "2"
    assert {"code", "message", "detail"} <= set(reply.json())


def test_a_request_too_large_for_any_service_is_refused_before_one_could_hang_up_on_it(address):
    _, url = address
    reply = requests.post(f"{url}/v1/batch", data=b" " * MAX_BODY, timeout=20)
    assert reply.status_code == 413
    assert reply.json()["code"] == "too_large"


def test_a_proxy_answers_for_itself_whatever_is_behind_it_and_a_frozen_one_does_not(tmp_path):
    base = free_block()
    config = tmp_path / "Caddyfile"
    config.write_text(proxy.local_config(base))
    with (tmp_path / "log").open("wb") as log:
        process = spawn(proxy.command(config, tmp_path), log)
    try:
        eventually(lambda: proxy.answers(base))
        process.send_signal(signal.SIGSTOP)
        eventually(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
        assert not proxy.answers(base)
        process.send_signal(signal.SIGCONT)
        eventually(lambda: proxy.answers(base))
    finally:
        stop(process, signal.SIGTERM, 10.0)
