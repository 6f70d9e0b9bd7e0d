"""The mail catcher keeps what was accepted, as it came, and knows for whom."""

import os
import signal
import smtplib
import sys
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from deploy.process import Command, free_port, port_is_taken, spawn, stop
from tests.journey.platform import ROOT, eventually

MAIL = (
    b"From: shop@example.com\r\nTo: mei@example.com\r\nSubject: tea\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\n\xe8\x8c\xb6\r\n.a line with a dot\r\n"
)


@contextmanager
def catcher(folder):
    port = free_port()
    command = [sys.executable, "-m", "deploy", "mail", "--port", str(port), "--folder", str(folder)]
    with (folder.parent / "output").open("wb") as output:
        process = spawn(Command(command, dict(os.environ), str(ROOT)), output)
    try:
        eventually(lambda: port_is_taken(port))
        yield port
    finally:
        stop(process, signal.SIGTERM, 10.0)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "mail"


def caught(folder: Path):
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in sorted(folder.glob("*.eml"))]


def test_a_mail_is_kept_byte_for_byte_with_its_envelope(folder):
    with catcher(folder) as port, smtplib.SMTP("127.0.0.1", port) as smtp:
        smtp.sendmail("bounce+1@example.com", ["mei@example.com"], MAIL)
    (path,) = folder.iterdir()
    assert path.suffix == ".eml"
    assert path.read_bytes().endswith(MAIL)
    (mail,) = caught(folder)
    assert mail["X-Envelope-From"] == "bounce+1@example.com"
    assert mail["X-Envelope-To"] == "mei@example.com"


def test_hidden_recipients_are_known_from_the_envelope(folder):
    with catcher(folder) as port, smtplib.SMTP("127.0.0.1", port) as smtp:
        smtp.sendmail("shop@example.com", ["mei@example.com", "li@example.com"], MAIL)
    (mail,) = caught(folder)
    assert mail.get_all("X-Envelope-To") == ["mei@example.com", "li@example.com"]


def test_mails_lie_in_the_order_they_came(folder):
    with catcher(folder) as port, smtplib.SMTP("127.0.0.1", port) as smtp:
        for number in range(20):
            smtp.sendmail("shop@example.com", [f"customer-{number}@example.com"], MAIL)
    assert [mail["X-Envelope-To"] for mail in caught(folder)] == [f"customer-{n}@example.com" for n in range(20)]
