"""Everybody's lines, read from beginning to end in the order of the customers; and who may be written to."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg.rows import tuple_row

from services.recommend.store.arrays import joined
from shared.database import SQL, Transaction

CHUNK: Final = 2_000  # customers at a time

_LINES: Final = SQL("""
    SELECT customer_id, array_send(array_agg(item_key)), array_send(array_agg(kind)),
           array_send(array_agg(quantity)), array_send(array_agg(occurred_at))
    FROM interaction
    WHERE customer_id IS NOT NULL AND item_key IS NOT NULL {segment} {sample}
    GROUP BY customer_id ORDER BY customer_id
    """)
_IN_SEGMENT: Final = SQL("""
    AND customer_id IN (SELECT customer_id FROM segmentation_out.memberships_v1 WHERE segment_id = %(segment_id)s)
    """)
_SAMPLED: Final = SQL("AND uuid_hash_extended(customer_id, 0) & %(mask)s = 0")
_ALL: Final = SQL("")


@dataclass(frozen=True)
class ManyLines:
    """Some customers (16 bytes each), how many lines each has, and these: item keys, kinds, quantities, instants."""

    customers: NDArray[np.void]
    counts: NDArray[np.int64]
    keys: NDArray[np.int64]
    kinds: NDArray[np.int16]
    quantities: NDArray[np.float32]
    occurred_at: NDArray[np.int64]


def customer_count(tx: Transaction) -> int:
    """About how many customers have lines: as many as Postgres expects, without counting them."""
    distinct: float | None = tx.value(
        """
        SELECT CASE WHEN s.n_distinct < 0 THEN -s.n_distinct * c.reltuples ELSE s.n_distinct END
        FROM pg_stats s JOIN pg_class c ON c.relname = s.tablename AND c.relnamespace = s.schemaname::regnamespace
        WHERE s.schemaname = current_schema() AND s.tablename = 'interaction' AND s.attname = 'customer_id'
        """
    )
    return max(0, int(distinct or 0))


def everybody(tx: Transaction, segment_id: UUID | None = None, sample_bits: int = 0) -> Iterator[ManyLines]:
    """All customers with lines, or those of a segment, or 1 of 2**`sample_bits` of them; CHUNK at a time."""
    query = _LINES.format(segment=_ALL if segment_id is None else _IN_SEGMENT, sample=_SAMPLED if sample_bits else _ALL)
    with tx.connection.cursor(name="everybody", row_factory=tuple_row) as cursor:
        cursor.execute(query, {"segment_id": segment_id, "mask": (1 << sample_bits) - 1}, binary=True)
        while rows := cursor.fetchmany(CHUNK):
            yield _columns(rows)


@dataclass(frozen=True)
class Place:
    """What is known of a customer beside their deeds: whether there is an address, a number, and the country."""

    customer_id: UUID
    email: bool
    phone: bool
    country: str | None


def places(tx: Transaction, customer_ids: Collection[UUID]) -> dict[UUID, Place]:
    """Where these customers can be reached; those of whom nothing is known are left out."""
    rows = tx.all(
        """
        SELECT customer_id, email IS NOT NULL AS email, phone IS NOT NULL AS phone, upper(country) AS country
        FROM profile_out.customers_v1 WHERE customer_id = ANY(%(ids)b::uuid[])
        """,
        {"ids": list(customer_ids)},
        into=Place,
    )
    return {row.customer_id: row for row in rows}


def segment_size(tx: Transaction, segment_id: UUID) -> int | None:
    """How many members a segment has; None where there is no such segment."""
    found: int | None = tx.value(
        "SELECT coalesce(size, 0) FROM segmentation_out.segments_v1 WHERE segment_id = %(id)s", {"id": segment_id}
    )
    return found


def _columns(rows: Sequence[tuple[Any, ...]]) -> ManyLines:
    customers, *columns = zip(*rows, strict=True)
    counts, keys = joined(columns[0], ">i4")
    return ManyLines(
        np.frombuffer(b"".join(customer.bytes for customer in customers), dtype="V16"),
        counts,
        keys.astype(np.int64),
        joined(columns[1], ">i2")[1].astype(np.int16),
        joined(columns[2], ">f4")[1].astype(np.float32),
        joined(columns[3], ">i8")[1].astype(np.int64),
    )
