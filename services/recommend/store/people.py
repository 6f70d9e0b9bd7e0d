"""One person's lines, read when they ask: by the covering index, as binary arrays."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import numpy as np
import orjson
from numpy.typing import NDArray
from psycopg.rows import tuple_row

from services.recommend.domain.interactions import Entry
from services.recommend.store.arrays import values
from services.recommend.store.models import EPOCH
from shared.database import Transaction

_UUID: Final = 2950  # Postgres's numbers of the types
_TEXT: Final = 25


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


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a person at one moment: the lines we have read (None: none), and events we have not yet."""

    lines: PersonLines | None
    newest: list[Entry]


# One statement, so that an event on its way from the intake over the log to the lines is there once, wherever it is.
_NEWEST: Final = """
    SELECT json_agg(json_build_array(event, identity_id, customer_id, occurred_at, trusted, payload -> 'properties'))
    FROM (
        SELECT event, identity_id, customer_id, occurred_at, trusted, payload FROM profile_out.newest_events_v1
        WHERE type = 'track' AND position > coalesce((SELECT position FROM log_cursor WHERE reader = 'recommend'), 0)
"""
_LAST: Final = " ORDER BY position DESC, occurred_at DESC LIMIT 1000) AS newest"
_LINES: Final = """
    SELECT array_send(array_agg(item_key)), array_send(array_agg(kind)),
           array_send(array_agg(quantity)), array_send(array_agg(occurred_at)),
"""
_ITEMS: Final = " FROM interaction WHERE item_key IS NOT NULL "
_OF_CUSTOMER: Final = _LINES + "(" + _NEWEST + "AND customer_id = $1" + _LAST + ")" + _ITEMS + "AND customer_id = $1"
_OF_IDENTITY: Final = _LINES + "(" + _NEWEST + "AND identity_id = $1" + _LAST + ")" + _ITEMS + "AND identity_id = $1"
_UNDER: Final = _NEWEST + "AND kind = $1 AND lookup = $2" + _LAST


def of_customer(tx: Transaction, customer_id: UUID) -> Known:
    """What a customer did; nothing where they are unknown, new, or merged into another since."""
    return _known(tx.binary_row(_OF_CUSTOMER, [(_UUID, customer_id.bytes)]))


def of_identity(tx: Transaction, identity_id: UUID) -> Known:
    """What arrived under one identity only, whoever it belongs to."""
    return _known(tx.binary_row(_OF_IDENTITY, [(_UUID, identity_id.bytes)]))


def newest_under(tx: Transaction, kind: str, value: str) -> list[Entry]:
    """What we have not read yet and arrived under an id of the shop's (`kind`: user_id or anonymous_id)."""
    if "\0" in value:  # nobody is called so, and Postgres takes no such text
        return []
    asked = [(_TEXT, text.encode()) for text in (kind, value)]
    return _entries(tx.binary_row(_UNDER, asked)[0])


def _known(row: tuple[bytes | None, ...]) -> Known:
    return Known(None if row[0] is None else _columns(row[:4]), _entries(row[4]))


def _entries(sent: bytes | None) -> list[Entry]:
    """The newest last. Nobody knows their positions yet."""
    return [
        Entry(
            position=0,
            type="track",
            event=event,
            identity_id=_uuid(identity),
            customer_id=_uuid(customer),
            occurred_at=datetime.fromisoformat(at),
            trusted=trusted,
            payload={"properties": properties},
        )
        for event, identity, customer, at, trusted, properties in reversed(orjson.loads(sent or b"[]"))
    ]


def _uuid(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)


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
