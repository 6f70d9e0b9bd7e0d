"""Mail to people of the console itself: one at a time, by SMTP_URL, in the name of the shop's sender.

These are not messages of a campaign: neither the allow-list nor the switch that stops sending holds for them.
"""

import smtplib
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, localtime, make_msgid
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from services.console.domain.resets import Letter
from shared.config import Settings
from shared.shop import Shop

TIMEOUT_S: Final = 20.0


class MailError(Exception):
    """The mail was not handed over; another try may succeed."""


@dataclass
class _Outside:
    smtp_url: str = ""
    public_url: str = ""


_outside = _Outside()


def configure(settings: Settings) -> None:
    """Read once, in app.py and worker.py: where mail goes and where the console is."""
    _outside.smtp_url, _outside.public_url = settings.smtp_url, settings.public_url


def ready(shop: Shop) -> bool:
    """Whether mail can be sent at all: there are a server and a sender."""
    return bool(_outside.smtp_url and shop.sender_email)


def address(path: str) -> str:
    """A page of the console as a link from outside. Never taken from a request: its Host is the visitor's to choose."""
    return _outside.public_url + path


def send(to: str, letter: Letter, shop: Shop) -> None:
    """Hand one mail over. Raises MailError."""
    message = EmailMessage()
    user, _, domain = shop.sender_email.rpartition("@")
    message["From"] = Address(shop.sender_name or shop.name, user, domain)
    message["To"] = to
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(localtime())
    message["Message-ID"] = make_msgid(domain=domain)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, cte="base64")
    try:
        with _connected() as server:
            server.send_message(message, shop.sender_email, [to])
    except (OSError, smtplib.SMTPException) as error:
        raise MailError(type(error).__name__) from error


def _connected() -> smtplib.SMTP:
    """A connection as SMTP_URL asks for it: `smtp[s]://user:password@host:port?starttls=required|off`."""
    parts = urlsplit(_outside.smtp_url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise MailError("SMTP_URL names no mail server")
    trust = ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(parts.hostname, parts.port or 465, timeout=TIMEOUT_S, context=trust)
    else:
        server = smtplib.SMTP(parts.hostname, parts.port or (587 if parts.username else 25), timeout=TIMEOUT_S)
    wish = parse_qs(parts.query).get("starttls", ["auto"])[0]
    server.ehlo_or_helo_if_needed()
    if parts.scheme == "smtp" and wish != "off" and (wish == "required" or server.has_extn("starttls")):
        server.starttls(context=trust)
    if parts.username:
        server.login(unquote(parts.username), unquote(parts.password or ""))
    return server
