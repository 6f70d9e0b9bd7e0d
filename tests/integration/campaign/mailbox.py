"""A real mail server on loopback that keeps what it is given and can be told how to behave."""

import email
import email.policy
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Mailbox:
    """What arrived, and how the server behaves."""

    url: str = ""
    mails: list[tuple[str, bytes]] = field(default_factory=list)
    refuse_recipient: dict[str, str] = field(default_factory=dict)  # address -> reply to RCPT
    refuse_message: dict[str, str] = field(default_factory=dict)  # address -> reply to the body
    hang_at: int | None = None  # the server says nothing more once it has so many mails
    cut_at: int | None = None  # it closes the connection instead of answering the next mail
    slow_s: float = 0.0
    eight_bit: bool = True
    pipelining: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)

    def recipients(self) -> Counter[str]:
        """How many mails each address got."""
        with self.lock:
            return Counter(address for address, _ in self.mails)

    def parsed(self) -> dict[str, EmailMessage]:
        """The last mail of each address."""
        with self.lock:
            return {a: email.message_from_bytes(raw, policy=email.policy.default) for a, raw in self.mails}  # type: ignore[misc]

    def raw(self, address: str) -> bytes:
        """The bytes that arrived for an address."""
        with self.lock:
            return next(raw for found, raw in self.mails if found == address)


class Handler:
    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        kept = [line for line in responses if self.mailbox.eight_bit or "8BITMIME" not in line]
        return [*kept[:-1], "250-PIPELINING", kept[-1]] if self.mailbox.pipelining else kept

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.mailbox.refuse_recipient:
            return self.mailbox.refuse_recipient[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        box = self.mailbox
        if box.slow_s:
            import asyncio

            await asyncio.sleep(box.slow_s)
        address = envelope.rcpt_tos[0]
        if address in box.refuse_message:
            return box.refuse_message[address]
        with box.lock:
            count = len(box.mails)
        if box.hang_at is not None and count >= box.hang_at:
            import asyncio

            await asyncio.sleep(3600)
        with box.lock:
            box.mails.append((address, envelope.original_content or b""))
        if box.cut_at is not None and count + 1 >= box.cut_at:
            server.transport.abort()
            box.cut_at = None
        return "250 2.0.0 accepted"


@contextmanager
def running() -> Iterator[Mailbox]:
    """A mail server on a free port of loopback."""
    mailbox = Mailbox()
    controller = Controller(
        Handler(mailbox), hostname="127.0.0.1", port=free_port(), enable_SMTPUTF8=False, timeout=600
    )
    controller.start()
    mailbox.url = f"smtp://127.0.0.1:{controller.port}"
    try:
        yield mailbox
    finally:
        controller.stop(no_assert=True)


def wait_until(condition: Any, seconds: float = 10.0) -> None:
    """Wait for something that another thread or process brings about."""
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            raise TimeoutError("it did not happen in time")
        time.sleep(0.01)


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
