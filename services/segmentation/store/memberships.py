"""Who is in which segment, and the log of who came and went."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from psycopg import sql
from psycopg.errors import QueryCanceled
from psycopg.rows import tuple_row

from services.segmentation.store.rules import Query
from shared import log
from shared.database import Transaction

LOG: Final = "membership"


class RuleTimeoutError(Exception):
    """A rule took too long over the data there is."""

    code = "rule_too_slow"


@dataclass(frozen=True, slots=True)  # a new segment may have a million of them
class Change:
    """A customer who came into a segment or left it."""

    segment_id: UUID
    customer_id: UUID
    entered: bool


@contextmanager
def reading(tx: Transaction, timeout_ms: int) -> Iterator[None]:
    """Inside, Postgres refuses writes and bounds every statement. Raises RuleTimeoutError; the transaction goes on."""
    try:
        with tx.connection.transaction(force_rollback=True):
            tx.execute(
                """
                SELECT set_config('transaction_read_only', 'on', true),
                       set_config('statement_timeout', %(timeout)s, true)
                """,
                {"timeout": str(timeout_ms)},
            )
            yield
    except QueryCanceled as error:
        raise RuleTimeoutError(f"the rule took longer than {timeout_ms / 1000:g} s; make it simpler") from error


def changes(tx: Transaction, segment_id: UUID, query: Query, customers: Sequence[UUID] | None) -> list[Change]:
    """Who should come into the segment and who should leave it, of these customers (None: of all)."""
    text = sql.SQL(
        """
        WITH matched AS MATERIALIZED ({matching})
        SELECT customer_id, true FROM matched AS q
        WHERE NOT EXISTS (SELECT FROM membership AS m
                          WHERE m.segment_id = %(segment_id)s AND m.customer_id = q.customer_id)
        UNION ALL
        SELECT customer_id, false FROM membership AS m
        WHERE m.segment_id = %(segment_id)s AND {scope}
          AND NOT EXISTS (SELECT FROM matched AS q WHERE q.customer_id = m.customer_id)
        """
    ).format(matching=query.text, scope=_scope(customers))
    params = {**query.params, "segment_id": segment_id, "customers": customers}
    with tx.connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        return [Change(segment_id, *row) for row in cursor.execute(text, params)]


def leavers(tx: Transaction, segment_id: UUID) -> list[Change]:
    """Everyone in the segment, as leaving it."""
    rows = tx.all("SELECT customer_id FROM membership WHERE segment_id = %(segment_id)s", {"segment_id": segment_id})
    return [Change(segment_id, row["customer_id"], False) for row in rows]


def apply(tx: Transaction, found: Sequence[Change], at: datetime) -> None:
    """Carry out changes and append them to the log. The caller has claimed LOG."""
    if not found:
        return
    came = [change for change in found if change.entered]
    left = [change for change in found if not change.entered]
    tx.copy(
        "membership",
        ("segment_id", "customer_id", "since"),
        ((change.segment_id, change.customer_id, at) for change in came),
        ("uuid", "uuid", "timestamptz"),
    )
    tx.execute(_LEAVE, {"segments": [c.segment_id for c in left], "customers": [c.customer_id for c in left]})
    sizes = Counter({change.segment_id: 0 for change in found})
    for change in found:
        sizes[change.segment_id] += 1 if change.entered else -1
    tx.execute(_RESIZE, {"segments": list(sizes.keys()), "by": list(sizes.values())})
    first = log.reserve(tx, LOG, len(found))
    tx.copy(
        "membership_log",
        ("position", "segment_id", "customer_id", "entered", "at"),
        ((first + n, c.segment_id, c.customer_id, c.entered, at) for n, c in enumerate(found)),
        ("int8", "uuid", "uuid", "bool", "timestamptz"),
    )


def page(tx: Transaction, segment_id: UUID, after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """Members in order of id with what a list shows of them."""
    return tx.all(
        """
        SELECT m.customer_id, m.since, f.orders, f.net_spend_minor, f.currency, f.last_order_at, s.rfm_cell, s.lifecycle
        FROM membership AS m
        LEFT JOIN customer_feature AS f USING (customer_id)
        LEFT JOIN customer_score AS s USING (customer_id)
        WHERE m.segment_id = %(segment_id)s AND (%(after)s::uuid IS NULL OR m.customer_id > %(after)s)
        ORDER BY m.customer_id LIMIT %(limit)s
        """,
        {"segment_id": segment_id, "after": after, "limit": limit},
    )


def of_customer(tx: Transaction, customer_id: UUID) -> list[dict[str, Any]]:
    """The segments a customer is in: segment_id, name, since."""
    return tx.all(
        """
        SELECT m.segment_id, s.name, m.since
        FROM membership AS m JOIN segment AS s USING (segment_id)
        WHERE m.customer_id = %(customer_id)s AND s.archived_at IS NULL
        ORDER BY s.name
        """,
        {"customer_id": customer_id},
    )


def preview(tx: Transaction, query: Query, sample: int) -> dict[str, Any]:
    """How many the rule holds for, of how many, and some of them (the biggest spenders first)."""
    text = sql.SQL(
        """
        WITH matched AS MATERIALIZED ({matching})
        SELECT (SELECT count(*) FROM matched) AS size, (SELECT count(*) FROM customer_feature) AS total,
               coalesce((SELECT jsonb_agg(to_jsonb(shown)) FROM (
                   SELECT f.customer_id, f.orders, f.net_spend_minor, f.currency, f.last_order_at,
                          s.rfm_cell, s.lifecycle
                   FROM matched
                   JOIN customer_feature AS f USING (customer_id)
                   LEFT JOIN customer_score AS s USING (customer_id)
                   ORDER BY f.net_spend_minor DESC, f.customer_id
                   LIMIT %(sample)s
               ) AS shown), '[]') AS sample
        """
    ).format(matching=query.text)
    return cast(dict[str, Any], tx.one(text, {**query.params, "sample": sample}))


def _scope(customers: Sequence[UUID] | None) -> sql.SQL:
    return sql.SQL("true") if customers is None else sql.SQL("m.customer_id = ANY(%(customers)s)")


_LEAVE: Final = """
    DELETE FROM membership AS m
    USING unnest(%(segments)s::uuid[], %(customers)s::uuid[]) AS gone (segment_id, customer_id)
    WHERE m.segment_id = gone.segment_id AND m.customer_id = gone.customer_id
"""

_RESIZE: Final = """
    UPDATE segment_state AS t SET size = t.size + change.by
    FROM unnest(%(segments)s::uuid[], %(by)s::int[]) AS change (segment_id, by)
    WHERE t.segment_id = change.segment_id
"""
