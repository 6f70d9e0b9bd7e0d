"""One person's lines, read when they ask: by the covering index, as binary arrays."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg.rows import tuple_row

from services.recommend.store.arrays import values
from services.recommend.store.models import EPOCH
from shared.database import Transaction

_UUID: Final = 2950  # Postgres's number of the type


@dataclass(frozen=True, slots=True)
class PersonLines:
    """Columns of equal length: item keys, kinds, quantities, and when (microseconds since 2000)."""

    keys: NDArray[np.int64]
    kinds: NDArray[np.int16]
    quantities: NDArray[np.float32]
    occurred_at: NDArray[np.int64]

    def before(self, at: datetime) -> "PersonLines":
        """What had happened before an instant."""
        then = self.occurred_at < (at - EPOCH) // timedelta(microseconds=1)
        return PersonLines(self.keys[then], self.kinds[then], self.quantities[then], self.occurred_at[then])


def lines_of_customer(tx: Transaction, customer_id: UUID) -> PersonLines | None:
    """The lines of a customer; None where there are none (unknown, new, or merged into another since)."""
    row = tx.binary_row(
        """
        SELECT array_send(array_agg(item_key)), array_send(array_agg(kind)),
               array_send(array_agg(quantity)), array_send(array_agg(occurred_at))
        FROM interaction WHERE customer_id = $1 AND item_key IS NOT NULL
        """,
        [(_UUID, customer_id.bytes)],
    )
    return None if row[0] is None else _columns(row)


def lines_of_identity(tx: Transaction, identity_id: UUID) -> PersonLines | None:
    """The lines that arrived under one identity only, whoever it belongs to."""
    row = tx.binary_row(
        """
        SELECT array_send(array_agg(item_key)), array_send(array_agg(kind)),
               array_send(array_agg(quantity)), array_send(array_agg(occurred_at))
        FROM interaction WHERE identity_id = $1 AND item_key IS NOT NULL
        """,
        [(_UUID, identity_id.bytes)],
    )
    return None if row[0] is None else _columns(row)


def lines_of_customers(tx: Transaction, customer_ids: Collection[UUID]) -> dict[UUID, PersonLines]:
    """The lines of many customers in one statement; those without any are left out."""
    with tx.connection.cursor(binary=True, row_factory=tuple_row) as cursor:
        cursor.execute(
            """
            SELECT customer_id, array_send(array_agg(item_key)), array_send(array_agg(kind)),
                   array_send(array_agg(quantity)), array_send(array_agg(occurred_at))
            FROM interaction WHERE customer_id = ANY(%(customer_ids)s) AND item_key IS NOT NULL
            GROUP BY customer_id
            """,
            {"customer_ids": list(customer_ids)},
        )
        return {row[0]: _columns(row[1:]) for row in cursor}


def customers_of(tx: Transaction, ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The customers that these ids (identities, or customers of earlier days) belong to now."""
    rows = tx.all(
        "SELECT identity_id, customer_id FROM profile_out.identity_map_v1 WHERE identity_id = ANY(%(ids)b::uuid[])",
        {"ids": list(ids)},
    )
    return {row["identity_id"]: row["customer_id"] for row in rows}


def customer_behind(tx: Transaction, alias: str) -> UUID | None:
    """The customer, as of now, behind the keyed hash of a userId or anonymousId; None where no event has named it."""
    found: UUID | None = tx.value(
        """
        SELECT coalesce(m.customer_id, a.identity_id)
        FROM identity_alias a LEFT JOIN profile_out.identity_map_v1 m USING (identity_id)
        WHERE a.alias = %(alias)s
        """,
        {"alias": alias},
    )
    return found


def identity_of(tx: Transaction, alias: str) -> UUID | None:
    """The identity behind the keyed hash of a userId or anonymousId; None where no event has named it."""
    found: UUID | None = tx.value("SELECT identity_id FROM identity_alias WHERE alias = %(alias)s", {"alias": alias})
    return found


def countries_of(tx: Transaction, customer_ids: Collection[UUID]) -> dict[UUID, str]:
    """Where these customers are; those of whom it is not known are left out."""
    rows = tx.all(
        """
        SELECT customer_id, upper(country) AS country FROM profile_out.customers_v1
        WHERE customer_id = ANY(%(customer_ids)s) AND country ~ '^[A-Za-z]{2}$'
        """,
        {"customer_ids": list(customer_ids)},
    )
    return {row["customer_id"]: row["country"] for row in rows}


def _columns(row: tuple[Any, ...]) -> PersonLines:
    keys, kinds, quantities, occurred_at = row
    return PersonLines(
        values(keys, ">i4").astype(np.int64),
        values(kinds, ">i2").astype(np.int16),
        values(quantities, ">f4").astype(np.float32),
        values(occurred_at, ">i8").astype(np.int64),
    )
