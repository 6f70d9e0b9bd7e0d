"""What the mail catcher holds: who got what, and the links a reader would follow."""

import html
import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from urllib.parse import urlsplit

from deploy.mailcatcher import RECIPIENT_HEADER

_LINK = re.compile(r'(?:href|src)="([^"]+)"')


@dataclass(frozen=True)
class Mail:
    """One caught message. `opened` is the address of its open pixel, `clicks` those of its tracked links in order."""

    recipient: str
    subject: str
    html: str
    opened: str | None
    clicks: tuple[str, ...]


def read(folder: Path) -> list[Mail]:
    """All messages in the catcher's folder, in the order they came."""
    return [_mail(path.read_bytes()) for path in sorted(folder.glob("*.eml"))]


def _mail(raw: bytes) -> Mail:
    message = message_from_bytes(raw, policy=policy.default)
    body = message.get_body(("html",))
    text = str(body.get_content()) if body is not None else ""
    links = [html.unescape(link) for link in _LINK.findall(text)]
    return Mail(
        recipient=str(message[RECIPIENT_HEADER]),
        subject=str(message["Subject"]),
        html=text,
        opened=next((link for link in links if _leads_to(link, "/e/o/")), None),
        clicks=tuple(link for link in links if _leads_to(link, "/e/c/")),
    )


def _leads_to(link: str, prefix: str) -> bool:
    return urlsplit(link).path.startswith(prefix)
