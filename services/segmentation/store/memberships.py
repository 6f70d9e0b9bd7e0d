"""Who is in which segment, and the log of who came and went."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from psycopg import sql
from psycopg.errors import QueryCanceled
from psycopg.rows import class_row

from services.segmentation.store.rules import Query
from shared import log
from shared.database import Transaction

LOG: Final = "membership"


class RuleTimeoutError(Exception):
    """A rule took too long over the data there is."""

    code = "rule_too_slow"


@dataclass(frozen=True, slots=True)
class Changes:
    """Who came into which segment and who left it: columns of `count` rows, as Postgres sends arrays.

    A new segment may have a million members: so they are 45 bytes each and never objects.
    """

    count: int = 0
    segments: bytes = b""
    customers: bytes = b""
    entered: bytes = b""


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


def changes(tx: Transaction, segments: Collection[UUID], query: Query, customers: Sequence[UUID] | None) -> Changes:
    """Who should come into these segments and who should leave them, of these customers (None: of all).

    `query` (rules.matching_each) says who belongs into which.
    """
    text = sql.SQL(_CHANGES).format(matching=query.text, scope=_scope(customers))
    params = {**query.params, "segments": list(segments), "customers": customers}
    with tx.connection.cursor(row_factory=class_row(Changes), binary=True) as cursor:
        return cursor.execute(text, params).fetchone() or Changes()


def leavers(tx: Transaction, segment_id: UUID) -> Changes:
    """Everyone in the segment, as leaving it."""
    return changes(tx, [segment_id], _NOBODY, None)


def apply(tx: Transaction, found: Changes, at: datetime) -> None:
    """Carry out changes and append them to the log. The caller has claimed LOG."""
    if not found.count:
        return
    first = log.reserve(tx, LOG, found.count)
    tx.binary_row(
        _APPLY,
        [
            (_UUIDS, found.segments),
            (_UUIDS, found.customers),
            (_BOOLS, found.entered),
            (_TEXT, at.isoformat().encode()),
            (_INT8, first.to_bytes(8, "big", signed=True)),
        ],
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


_UUIDS, _BOOLS, _TEXT, _INT8 = 2951, 1000, 25, 20  # what Postgres calls these types

_NOBODY: Final = Query(
    sql.Composed([sql.SQL("SELECT NULL::uuid AS segment_id, NULL::uuid AS customer_id WHERE false")]), {}
)

_CHANGES: Final = """
    WITH matched AS MATERIALIZED ({matching}),
    change AS (
        SELECT segment_id, customer_id, true AS entered FROM matched AS q
        WHERE NOT EXISTS (SELECT FROM membership AS m
                          WHERE m.segment_id = q.segment_id AND m.customer_id = q.customer_id)
        UNION ALL
        SELECT segment_id, customer_id, false FROM membership AS m
        WHERE m.segment_id = ANY(%(segments)s) AND {scope}
          AND NOT EXISTS (SELECT FROM matched AS q
                          WHERE q.segment_id = m.segment_id AND q.customer_id = m.customer_id)
    )
    SELECT count(*) AS count, array_send(array_agg(segment_id)) AS segments,
           array_send(array_agg(customer_id)) AS customers, array_send(array_agg(entered)) AS entered
    FROM change
"""

_APPLY: Final = """
    WITH change AS MATERIALIZED (
        SELECT segment_id, customer_id, entered, number
        FROM unnest($1::uuid[], $2::uuid[], $3::bool[]) WITH ORDINALITY AS c (segment_id, customer_id, entered, number)
    ),
    came AS (
        INSERT INTO membership (segment_id, customer_id, since)
        SELECT segment_id, customer_id, $4::text::timestamptz FROM change WHERE entered
    ),
    gone AS (
        DELETE FROM membership AS m USING change AS c
        WHERE NOT c.entered AND m.segment_id = c.segment_id AND m.customer_id = c.customer_id
    ),
    resized AS (
        UPDATE segment_state AS t SET size = t.size + by.change
        FROM (SELECT segment_id, sum(CASE WHEN entered THEN 1 ELSE -1 END) AS change
              FROM change GROUP BY segment_id) AS by
        WHERE t.segment_id = by.segment_id
    ),
    logged AS (
        INSERT INTO membership_log (position, segment_id, customer_id, entered, at)
        SELECT $5::bigint + number - 1, segment_id, customer_id, entered, $4::text::timestamptz FROM change
    )
    SELECT count(*) FROM change
"""
