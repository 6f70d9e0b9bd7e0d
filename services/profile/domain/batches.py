"""The body of a batch request: its envelope, and its events as separate pieces of JSON.

One bad event never costs its neighbours: where the body as a whole cannot be read, it is cut into events by its
brackets, and each is judged by itself.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from services.profile.domain.messages import holds_nul

# A string that is never ended is one token up to the end: looked for anew from each of its quotes, half a megabyte
# of them would take hours.
_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{},]', re.DOTALL)
_WRITE_KEY: Final = re.compile(rb'"writeKey"\s{0,9}:\s{0,9}"([\w-]{1,200})"')


class UnreadableError(ValueError):
    """The body is not a batch; the message says why."""


class Envelope(msgspec.Struct, rename="camel"):
    """A batch as it is on the wire. What is said beside the events is judged leniently: SDKs differ."""

    batch: list[msgspec.Raw]
    write_key: Any = None
    sent_at: Any = None
    context: Any = None
    integrations: Any = None


class Batch(msgspec.Struct):
    """The events of one request as JSON, and what it says of all of them.

    `cut`: its body was no JSON as a whole and has been cut into events by its brackets.
    """

    events: Sequence[bytes | msgspec.Raw]
    write_key: str | None = None
    sent_at: str | None = None
    context: dict[str, Any] | None = None
    integrations: dict[str, Any] | None = None
    cut: bool = False


_decoder: Final = msgspec.json.Decoder(Envelope)


def read_batch(body: bytes) -> Batch:
    """Cut the body of a batch request into its events. Raises UnreadableError."""
    try:
        envelope = _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise UnreadableError(f"a batch is an object with its events in the array `batch`: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _salvage(body, error)
    return _batch(envelope, envelope.batch, holds_nul(body))


def write_key_of(body: bytes) -> str | None:
    """The key in a body, whether or not that is JSON: asked for before anything is made of what it holds."""
    found = _WRITE_KEY.search(body)
    return found[1].decode() if found else None


def _batch(envelope: Envelope, events: Sequence[bytes | msgspec.Raw], nul: bool, *, cut: bool = False) -> Batch:
    def of(kind: type[Any], value: Any) -> Any:
        return (_without_nul(value) if nul else value) if isinstance(value, kind) else None

    return Batch(
        events,
        of(str, envelope.write_key),
        of(str, envelope.sent_at),
        of(dict, envelope.context),
        of(dict, envelope.integrations),
        cut,
    )


def _without_nul(value: Any) -> Any:
    """`value` without U+0000, which cannot be stored: it would cost every event of the batch."""
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, dict):
        return {_without_nul(name): _without_nul(item) for name, item in value.items()}
    return [_without_nul(item) for item in value] if isinstance(value, list) else value


def _salvage(body: bytes, error: Exception) -> Batch:
    found = _cut(body)
    if found is None:
        raise UnreadableError(f"the body is not JSON: {error}")
    events, envelope = found
    try:
        return _batch(_decoder.decode(envelope), events, holds_nul(envelope), cut=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnreadableError(f"the body is not JSON: {error}") from None


def _cut(body: bytes) -> tuple[list[bytes], bytes] | None:
    """The elements of the top-level array `batch`, and the body with that array emptied; None: not to be found."""
    depth, key, opened, begin = 0, b"", 0, 0
    events: list[bytes] = []
    for token in _TOKEN.finditer(body):
        text = token[0]
        if text in b"[{":
            depth += 1
            if depth == 2 and text == b"[" and key == b'"batch"':
                opened = begin = token.end()
        elif text in b"]}":
            depth -= 1
            if opened and depth == 1:
                if last := body[begin : token.start()].strip():
                    events.append(last)
                return events, body[:opened] + body[token.start() :]
        elif text == b",":
            if opened and depth == 2:
                events.append(body[begin : token.start()].strip())
                begin = token.end()
        elif depth == 1:
            key = text
    return None
