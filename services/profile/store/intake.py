"""The intake: what the collector accepted, until the appender has put it into the log.

Rows are put together here in the binary form of COPY, in few steps a row: of all ways in it costs Postgres least,
and rows of several requests are one COPY when they are laid end to end.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from struct import Struct
from typing import Final
from uuid import UUID

from services.profile.domain import times
from services.profile.domain.events import Accepted
from shared.database import Row, Transaction

_FIELDS: Final = """
    received_at, key_id, source, trusted, imported, type, event, own_kind, message_key, occurred_at, message_id,
    own_lookup, own_sealed, claims, payload
"""
_COPY: Final = "COPY intake (" + _FIELDS + ") FROM STDIN (FORMAT BINARY)"
_COPY_IMPORT: Final = "COPY importing (" + _FIELDS + ") FROM STDIN (FORMAT BINARY)"
_PUT_IMPORT: Final = (
    "INSERT INTO intake (id, " + _FIELDS + ") OVERRIDING SYSTEM VALUE "  # noqa: S608  # two literals
    "SELECT nextval('intake_imported_id_seq'), " + _FIELDS + " FROM (SELECT * FROM importing ORDER BY id) AS oldest"
)
# Rows of imports have ids of their own, above all others: the appender takes them by themselves.
FIRST_IMPORTED: Final = 2**62
_COLUMNS: Final = Struct(">h").pack(15)
_BEGIN: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
POSTGRES_EPOCH: Final = 946_684_800_000_000  # 2000-01-01 in microseconds since 1970

# A field is its length (-1: null) and its bytes; a jsonb is a version and the text.
_SIZE: Final = Struct(">i").pack
_NULL: Final = _SIZE(-1)
_TRUE, _FALSE = _SIZE(1) + b"\1", _SIZE(1) + b"\0"
_INSTANT: Final = Struct(">iq").pack
_JSONB: Final = Struct(">ib").pack
_KEY_TIME_AND_SIZE: Final = Struct(">i16siqi").pack


def sender_fields(*, received_at: datetime, key_id: UUID | None, source: str, trusted: bool, imported: bool) -> bytes:
    """What all rows of a request begin with."""
    return (
        _COLUMNS
        + _INSTANT(8, times.micros(received_at) - POSTGRES_EPOCH)
        + _field(key_id.bytes if key_id else None)
        + _field(source.encode())
        + (_TRUE if trusted else _FALSE)
        + (_TRUE if imported else _FALSE)
    )


def rows(events: Iterable[Accepted], sender: bytes) -> bytes:
    """Events of one request, with its sender_fields(), as rows for put()."""
    # The events of a request are of few kinds, so what tells a kind is put together once.
    heads: dict[tuple[str, str | None, str], bytes] = {}
    parts: list[bytes] = []
    for event in events:
        own = event.own
        kind = event.type, event.event, own.kind
        head = heads.get(kind)
        if head is None:
            head = heads[kind] = sender + b"".join(_field(_bytes(text)) for text in kind)
        message_id, lookup, payload = event.message_id.encode(), own.lookup.encode(), event.payload
        parts += (
            head,
            _KEY_TIME_AND_SIZE(16, event.message_key, 8, event.occurred - POSTGRES_EPOCH, len(message_id)),
            message_id,
            _SIZE(len(lookup)),
            lookup,
            _NULL if own.sealed is None else _field(own.sealed.encode()),
            _NULL if event.claims is None else _JSONB(len(event.claims) + 1, 1) + event.claims,
            _JSONB(len(payload) + 1, 1),
            payload,
        )
    return b"".join(parts)


def put(tx: Transaction, requests: Sequence[bytes]) -> None:
    """Write the rows() of some requests, one statement for all: all of them or none."""
    tx.copy_in(_COPY, b"".join((_BEGIN, *requests, _END)))


def put_imported(tx: Transaction, requests: Sequence[bytes]) -> None:
    """As put(), for imports."""
    tx.execute(
        """
        CREATE TEMPORARY TABLE IF NOT EXISTS importing (LIKE intake INCLUDING IDENTITY INCLUDING STORAGE)
        ON COMMIT DELETE ROWS
        """
    )
    tx.copy_in(_COPY_IMPORT, b"".join((_BEGIN, *requests, _END)))
    tx.execute(_PUT_IMPORT)
    tx.execute("DELETE FROM importing")  # a test's transaction holds several requests


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def _field(value: bytes | None) -> bytes:
    return _NULL if value is None else _SIZE(len(value)) + value


def backlog(tx: Transaction) -> Row:
    """How many rows wait, and since when the oldest has."""
    return tx.all("SELECT count(*) AS rows, min(received_at) AS oldest FROM intake")[0]
