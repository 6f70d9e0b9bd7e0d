"""A message as bytes, put together by hand: eighty times faster than email.message and as strict about headers.

RFC 5322, 2045-2047, 8058. Parts go as 8bit where every line fits (RFC 2045 §2.8), as base64 where one does not or the
server takes only 7bit.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LINE_LIMIT: Final = 998
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")
_SPECIAL: Final = re.compile(r'[()<>@,;:\\".\[\]]')
_WORD_BYTES: Final = 45  # 60 characters of base64: with the wrapping below the 75 an encoded word may have

Header = tuple[bytes, bytes]


@dataclass(frozen=True)
class Envelope:
    """What the headers of one message say. Addresses are sendable() ones."""

    sender: str
    sender_name: str
    recipient: str
    subject: str
    date: str
    message_id: str
    unsubscribe_url: str = ""
    campaign_id: str = ""


def headers(envelope: Envelope) -> list[Header]:
    """The header fields in order, values encoded; no value can begin another field."""
    fields: list[Header] = [
        (b"From", mailbox(envelope.sender_name, envelope.sender)),
        (b"To", _ascii(envelope.recipient)),
        (b"Subject", encode_text(envelope.subject)),
        (b"Date", _ascii(envelope.date)),
        (b"Message-ID", _ascii(f"<{envelope.message_id}>")),
        (b"MIME-Version", b"1.0"),
    ]
    if envelope.unsubscribe_url:
        fields.append((b"List-Unsubscribe", _ascii(f"<{envelope.unsubscribe_url}>")))
        fields.append((b"List-Unsubscribe-Post", b"List-Unsubscribe=One-Click"))
    if envelope.campaign_id:
        fields.append((b"X-Campaign-ID", _ascii(envelope.campaign_id)))
    return fields


def body(text: str, html: str, boundary: bytes, *, eight_bit: bool = True) -> tuple[list[Header], bytes]:
    """The fields that describe the body, and the body (CRLF lines): alternative parts, or plain text alone."""
    fields, plain = _part(b"text/plain", text, eight_bit)
    if not html:
        return fields, plain
    html_fields, marked_up = _part(b"text/html", html, eight_bit)
    content = b"--%b\r\n%b\r\n--%b\r\n%b\r\n--%b--\r\n" % (
        *(boundary, assemble(fields, plain)),
        *(boundary, assemble(html_fields, marked_up), boundary),
    )
    return [(b"Content-Type", b'multipart/alternative; boundary="%b"' % boundary)], content


def assemble(fields: Sequence[Header], content: bytes) -> bytes:
    """The whole message."""
    return b"".join([b"%b: %b\r\n" % field for field in fields]) + b"\r\n" + content


def encode_text(text: str) -> bytes:
    """Unstructured text for a header: as it is where short ASCII, else RFC 2047 words. Controls become spaces."""
    clean = _CONTROL.sub(" ", text).strip()
    if clean.isascii() and len(clean) <= 900 and "=?" not in clean:
        return clean.encode()
    return b"\r\n ".join(b"=?utf-8?b?%b?=" % base64.b64encode(chunk) for chunk in _chunks(clean))


def mailbox(name: str, address: str) -> bytes:
    """`name <address>` for a From field."""
    clean = _CONTROL.sub(" ", name).strip()
    if not clean:
        return _ascii(address)
    if clean.isascii() and _SPECIAL.search(clean):
        quoted = clean.replace("\\", "\\\\").replace('"', '\\"')
        return _ascii(f'"{quoted}" <{address}>')
    return b"%b <%b>" % (encode_text(clean), _ascii(address))


def crlf(text: str) -> bytes:
    """`text` in UTF-8 with CRLF line ends and an end to its last line."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.endswith("\n"):
        text += "\n"
    return text.replace("\n", "\r\n").encode("utf-8", "replace")


def _part(kind: bytes, text: str, eight_bit: bool) -> tuple[list[Header], bytes]:
    content = crlf(text)
    if eight_bit and max(map(len, content.split(b"\r\n"))) <= LINE_LIMIT and b"\0" not in content:
        return _described(kind, b"8bit"), content
    return _described(kind, b"base64"), base64.encodebytes(content).replace(b"\n", b"\r\n")


def _described(kind: bytes, encoding: bytes) -> list[Header]:
    return [(b"Content-Type", b"%b; charset=utf-8" % kind), (b"Content-Transfer-Encoding", encoding)]


def _chunks(text: str) -> list[bytes]:
    """UTF-8 in pieces that never cut a character."""
    out: list[bytes] = [b""]
    for character in text:
        encoded = character.encode("utf-8", "replace")
        if len(out[-1]) + len(encoded) > _WORD_BYTES:
            out.append(b"")
        out[-1] += encoded
    return out


def _ascii(text: str) -> bytes:
    return _CONTROL.sub("", text).encode("ascii", "replace")
