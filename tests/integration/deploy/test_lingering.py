"""gunicorn's threads stay with a connection that goes on, and with none that keeps others waiting."""

import os
import socket
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from signal import SIGTERM
from typing import Any

from deploy.lingering import LingeringWorker
from deploy.process import Command, free_port, port_is_taken, spawn, stop
from tests.journey.platform import ROOT, eventually

HERE = "tests.integration.deploy.test_lingering"
LOOPBACK = "127.0.0.1"


class PatientWorker(LingeringWorker):
    """So patient that no pause of a busy machine is too long for it."""

    linger_ms = 3_000.0


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Says which thread answers, after so many seconds."""
    time.sleep(float(environ["QUERY_STRING"]))
    body = str(threading.get_ident()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


@contextmanager
def serving(folder, threads):
    port = free_port()
    argv = (sys.executable, "-m", "gunicorn", "--bind", f"{LOOPBACK}:{port}", "--no-control-socket", f"{HERE}:app")
    worker = ("--worker-class", f"{HERE}.PatientWorker", "--threads", str(threads), "--keep-alive", "30")
    with (folder / "log").open("wb") as log:
        process = spawn(Command(argv + worker, dict(os.environ), str(ROOT)), log)
    try:
        eventually(lambda: port_is_taken(port))
        yield process, port
    finally:
        stop(process, SIGTERM, 10.0)


@contextmanager
def connected(port, count):
    with ExitStack() as stack:
        yield [stack.enter_context(closing(HTTPConnection(LOOPBACK, port, timeout=10))) for _ in range(count)]


def ask(connection, seconds=0.0):
    connection.request("GET", f"/?{seconds}")
    return connection.getresponse().read().decode()


def test_who_answered_answers_what_follows(tmp_path):
    with serving(tmp_path, threads=4) as (_, port), connected(port, 4) as connections:
        first: dict[int, str] = {}

        def begin(number):
            first[number] = ask(connections[number], 0.3)  # long enough that each needs a thread of its own

        threads = [threading.Thread(target=begin, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(first.values())) == 4
        for number, connection in enumerate(connections):
            assert {ask(connection) for _ in range(5)} == {first[number]}


def test_a_connection_that_goes_on_and_on_keeps_nobody_waiting(tmp_path):
    with serving(tmp_path, threads=2) as (_, port):
        ended = threading.Event()

        def go_on():
            with connected(port, 1) as (connection,):
                while not ended.is_set():
                    ask(connection, 0.01)

        busy = [threading.Thread(target=go_on) for _ in range(2)]
        for thread in busy:
            thread.start()
        try:
            with connected(port, 3) as others:
                for other in others * 3:
                    assert ask(other)
        finally:
            ended.set()
            for thread in busy:
                thread.join()


def test_what_is_asked_while_it_ends_is_answered_and_that_the_connection_ends_is_said(tmp_path):
    with serving(tmp_path, threads=2) as (process, port), connected(port, 1) as (connection,):
        for _ in range(20):
            ask(connection, 0.01)
        process.send_signal(SIGTERM)
        closing_said = False
        while not closing_said:
            connection.request("GET", "/?0.01")
            reply = connection.getresponse()
            closing_said = reply.will_close
            assert reply.status == 200
            reply.read()
        assert process.wait(10) == 0


def test_what_came_together_is_not_waited_for(tmp_path):
    with serving(tmp_path, threads=2) as (_, port), socket.create_connection((LOOPBACK, port), timeout=1) as client:
        client.sendall(b"GET /?0 HTTP/1.1\r\nHost: shop.example\r\n\r\n" * 3)
        said = b""
        while said.count(b"200 OK") < 3:
            said += client.recv(65536)
