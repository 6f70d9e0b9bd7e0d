"""Arrays in Postgres' binary form, put together in C loops: a column of a hundred rows is one parameter.

Layout (array_recv in Postgres): dimensions, flags, element type, length, lower bound, then each element's size and
bytes.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from struct import Struct
from typing import Any, Final

import psycopg
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format

_HEADER: Final = Struct(">iiIii").pack
_SIZE: Final = Struct(">i").pack
_INT8: Final = Struct(">iq").pack
_NULL: Final = _SIZE(-1)
_TEXT, _TEXT_ARRAY = 25, 1009
_UUID, _UUID_ARRAY = 2950, 2951
_TIMESTAMPTZ, _TIMESTAMPTZ_ARRAY = 1184, 1185
_POSTGRES_EPOCH: Final = 946_684_800_000_000  # 2000-01-01 in microseconds since 1970


class TextArray(bytes):
    """text[] ready to be sent."""


class UuidArray(bytes):
    """uuid[] ready to be sent."""


class InstantArray(bytes):
    """timestamptz[] ready to be sent."""


def texts(values: Iterable[bytes]) -> TextArray:
    """text[] of UTF-8 bytes."""
    items = list(values)
    sizes = map(_SIZE, map(len, items))
    return TextArray(_header(_TEXT, items) + b"".join(chain.from_iterable(zip(sizes, items, strict=True))))


def optional_texts(values: Iterable[bytes | None]) -> TextArray:
    """text[] of UTF-8 bytes and nulls; empty where all are null, which unnest() beside longer arrays takes for that."""
    items = list(values)
    if not any(item is not None for item in items):
        return TextArray(_header(_TEXT, ()))
    parts = [_NULL if item is None else _SIZE(len(item)) + item for item in items]
    return TextArray(_header(_TEXT, items) + b"".join(parts))


def uuids(values: Iterable[bytes]) -> UuidArray:
    """uuid[] of 16 bytes each."""
    items = list(values)
    size = _SIZE(16)
    return UuidArray(_header(_UUID, items) + b"".join([size + item for item in items]))


def instants(values: Iterable[int]) -> InstantArray:
    """timestamptz[] of microseconds since 1970."""
    items = list(values)
    return InstantArray(_header(_TIMESTAMPTZ, items) + b"".join([_INT8(8, item - _POSTGRES_EPOCH) for item in items]))


def _header(element: int, items: Sequence[Any]) -> bytes:
    return _HEADER(1, 1, element, len(items), 1) if items else _HEADER(0, 0, element, 0, 0)[:12]


class _Ready(Dumper):
    """Hands the bytes on as they are."""

    format = Format.BINARY

    def dump(self, obj: Any) -> Buffer:
        return bytes(obj)


def _register(kind: type[bytes], array_oid: int) -> None:
    dumper = type(f"{kind.__name__}Dumper", (_Ready,), {"oid": array_oid})
    psycopg.adapters.register_dumper(kind, dumper)


_register(TextArray, _TEXT_ARRAY)
_register(UuidArray, _UUID_ARRAY)
_register(InstantArray, _TIMESTAMPTZ_ARRAY)
