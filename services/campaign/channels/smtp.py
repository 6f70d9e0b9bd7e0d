"""SMTP for many messages over one connection: MAIL, RCPT and DATA of the next travel with the body of the last.

smtplib opens the connection, starts TLS and logs in; from there on we speak by ourselves (RFC 5321, PIPELINING of
RFC 2920): its one command, one wait costs ten times as much. It always stays known which messages have been answered,
which have certainly not left, and which single one is in between when a connection breaks.
"""

import base64
import ipaddress
import select
import smtplib
import socket
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from services.campaign.channels import BUDGET_S, ChannelDown, Parcel
from services.campaign.domain.replies import UNTRIED, Answer, classify

CONNECT_TIMEOUT_S: Final = 10.0
REPLY_TIMEOUT_S: Final = 20.0
STARTING_S: Final = BUDGET_S - 2 * REPLY_TIMEOUT_S  # then its envelope and its body may each wait for a reply
_LONGEST_REPLY: Final = 64 * 1024


class _BrokenError(Exception):
    """The server ended the conversation, or says what no SMTP server says."""


@dataclass(frozen=True)
class Server:
    """Where mail is handed over: `smtp[s]://user:password@host:port?starttls=required|off`."""

    host: str
    port: int
    tls: bool
    starttls: str
    user: str
    password: str


def parse_url(url: str) -> Server:
    """The server an SMTP_URL names. Raises ChannelDown for one that is not such a URL."""
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ChannelDown("SMTP_URL does not name a mail server (smtp://host:port or smtps://user:password@host)")
    tls = parts.scheme == "smtps"
    starttls = parse_qs(parts.query).get("starttls", ["auto"])[0]
    port = parts.port or (465 if tls else 587 if parts.username else 25)
    return Server(parts.hostname, port, tls, starttls, unquote(parts.username or ""), unquote(parts.password or ""))


class SmtpConnection:
    """One connection, opened by connect() and reopened by it after it broke."""

    def __init__(
        self, server: Server, *, connect_timeout: float = CONNECT_TIMEOUT_S, reply_timeout: float = REPLY_TIMEOUT_S
    ):
        self.server = server
        self._connect_timeout, self._reply_timeout = connect_timeout, reply_timeout
        self._socket: socket.socket | None = None
        self._read = b""
        self._pipelining = self.eight_bit = False
        self._deadline = 0.0

    def connect(self) -> None:
        """Open the connection, or see that it still lives. Raises ChannelDown."""
        if self._socket is not None and self._alive():
            return
        self.close()
        try:
            self._open()
        except smtplib.SMTPAuthenticationError as error:
            raise ChannelDown(f"the mail server refuses our user name or password ({error.smtp_code})") from error
        except smtplib.SMTPResponseException as error:
            raise ChannelDown(f"the mail server refuses us: {error.smtp_code} {error.smtp_error!r}") from error
        except ssl.SSLError as error:
            raise ChannelDown(
                "the mail server's certificate is not trusted; a relay on this machine can do without: ?starttls=off"
            ) from error
        except (OSError, smtplib.SMTPException) as error:
            where = f"{self.server.host}:{self.server.port}"
            raise ChannelDown(f"the mail server {where} cannot be reached ({type(error).__name__})") from error

    def close(self) -> None:
        """Close without ceremony: what was answered is answered."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
        self._socket, self._read = None, b""

    def send(self, sender: str, parcels: Sequence[Parcel], starting_s: float = STARTING_S) -> list[Answer]:
        """Hand over `parcels` in order; one answer each.

        No message is begun after `starting_s`, so that the last one has its full time to be answered. When the
        connection breaks, the message whose body was on its way is `unknown`, later ones are UNTRIED.
        """
        begun = time.monotonic()
        self._deadline = begun + starting_s + 2 * self._reply_timeout
        answers: list[Answer] = []
        in_flight = False
        try:
            envelopes = [self._envelope(sender, parcel.address) for parcel in parcels]
            ahead = False  # whether this message's envelope has travelled with the body before it
            for index, parcel in enumerate(parcels):
                if time.monotonic() - begun > starting_s:
                    raise _BrokenError("the window's time is over")
                refusal = self._envelope_answer() if ahead else self._offer(envelopes[index])
                ahead = False
                if refusal is not None:
                    answers.append(refusal)
                    self._command(b"RSET\r\n")
                    continue
                following = envelopes[index + 1] if self._pipelining and index + 1 < len(parcels) else []
                in_flight = True
                self._write(stuffed(parcel.content) + b"".join(following))
                answers.append(classify("body", *self._reply()))
                in_flight, ahead = False, bool(following)
        except (OSError, _BrokenError) as error:
            answers += _after_break(error, in_flight, len(parcels) - len(answers))
            self.close()
        return answers

    def _open(self) -> None:
        server, timeout = self.server, self._connect_timeout
        smtp = (
            smtplib.SMTP_SSL(server.host, server.port, timeout=timeout, context=_tls())
            if server.tls
            else smtplib.SMTP(server.host, server.port, timeout=timeout)
        )
        try:
            smtp.ehlo_or_helo_if_needed()
            if (
                not server.tls
                and server.starttls != "off"
                and (smtp.has_extn("starttls") or server.starttls == "required")
            ):
                smtp.starttls(context=_tls())
                smtp.ehlo()
            elif server.user and not server.tls and not _on_this_machine(smtp):
                raise ChannelDown("the mail server offers no TLS, so our password is not sent to it")
            if server.user:
                _log_in(smtp, server)
        except BaseException:
            smtp.close()
            raise
        self._pipelining, self.eight_bit = smtp.has_extn("pipelining"), smtp.has_extn("8bitmime")
        self._socket = smtp.sock
        smtp.sock = smtp.file = None  # ours now: smtplib must not close it

    def _envelope(self, sender: str, recipient: str) -> list[bytes]:
        body = b" BODY=8BITMIME" if self.eight_bit else b""
        return [
            b"MAIL FROM:<%b>%b\r\n" % (sender.encode("ascii"), body),
            b"RCPT TO:<%b>\r\n" % recipient.encode("ascii"),
            b"DATA\r\n",
        ]

    def _offer(self, envelope: list[bytes]) -> Answer | None:
        """Offer one message; None when the server waits for its body."""
        if self._pipelining:
            self._write(b"".join(envelope))
            return self._envelope_answer()
        for stage, line in zip(("mail", "rcpt", "data"), envelope, strict=True):
            code, text = self._command(line)
            if code >= 400:
                return classify(stage, code, text)
        return None

    def _envelope_answer(self) -> Answer | None:
        """The verdict of three pipelined replies; None when the server waits for the body."""
        refusal: Answer | None = None
        for stage in ("mail", "rcpt", "data"):
            code, text = self._reply()
            if refusal is None and code >= 400:
                refusal = classify(stage, code, text)
        if refusal is not None and code == 354:
            # RFC 2920 §3.1: it asks for a body although nobody takes it; an empty one goes nowhere.
            self._command(b".\r\n")
        return refusal

    def _command(self, line: bytes) -> tuple[int, str]:
        self._write(line)
        return self._reply()

    def _write(self, data: bytes) -> None:
        self._limit_wait().sendall(data)

    def _reply(self) -> tuple[int, str]:
        """One reply: its code and text. Raises _BrokenError where the server closes (also by 421) or talks nonsense."""
        lines: list[str] = []
        while True:
            line = self._line()
            lines.append(line[4:].decode("utf-8", "replace").strip())
            if line[3:4] != b"-":
                break
        if not line[:3].isdigit():
            raise _BrokenError("the mail server sent something that is no SMTP reply")
        code = int(line[:3])
        if code == 421:
            raise _BrokenError(f"421 {' '.join(lines)}")
        return code, " ".join(lines)

    def _line(self) -> bytes:
        while b"\n" not in self._read:
            received = self._limit_wait().recv(65536)
            if not received:
                raise _BrokenError("the mail server closed the connection")
            self._read += received
            if len(self._read) > _LONGEST_REPLY:
                raise _BrokenError("the mail server sends an endless reply")
        line, _, self._read = self._read.partition(b"\n")
        return line

    def _limit_wait(self) -> socket.socket:
        """The socket, set to wait no longer than a reply may take and the window has left."""
        remaining = self._deadline - time.monotonic()
        if self._socket is None or remaining <= 0:
            raise _BrokenError("the window's time is over")
        self._socket.settimeout(min(remaining, self._reply_timeout))
        return self._socket

    def _alive(self) -> bool:
        # A server that says something unasked (a 421, the end) has ended the conversation.
        return self._socket is not None and not self._read and not select.select([self._socket], [], [], 0)[0]


def _log_in(smtp: smtplib.SMTP, server: Server) -> None:
    """One try by one mechanism. smtplib's login() tries all, which servers dislike, and knows ASCII passwords only."""
    offered = smtp.esmtp_features.get("auth", "").upper().split()
    if "PLAIN" not in offered and "LOGIN" in offered:
        smtp.docmd("AUTH", "LOGIN")
        smtp.docmd(_base64(server.user))
        code, text = smtp.docmd(_base64(server.password))
    else:
        code, text = smtp.docmd("AUTH", f"PLAIN {_base64(f'{chr(0)}{server.user}{chr(0)}{server.password}')}")
    if code != 235:
        raise smtplib.SMTPAuthenticationError(code, text)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _on_this_machine(smtp: smtplib.SMTP) -> bool:
    return smtp.sock is not None and ipaddress.ip_address(smtp.sock.getpeername()[0]).is_loopback


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Certificates are checked. Loading the authorities takes 40 ms, so once."""
    return ssl.create_default_context()


def stuffed(content: bytes) -> bytes:
    """A message as it goes over the wire after DATA: leading dots doubled, the final dot added. CRLF lines."""
    return content.replace(b"\r\n.", b"\r\n..") + (b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n")


def _after_break(error: Exception, in_flight: bool, missing: int) -> list[Answer]:
    reply = f"{type(error).__name__}: {error}"[:500]
    first = [Answer("unknown", "no_answer_after_hand_over", reply)] if in_flight and missing else []
    return first + [UNTRIED] * (missing - len(first))
