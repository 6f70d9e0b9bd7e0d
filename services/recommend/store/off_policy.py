"""Answers that gave places by lot, and what came of the items in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.recommend.domain.impressions import Sight
from services.recommend.domain.interactions import Kind
from services.recommend.store.refunds import GIVEN_BACK
from services.recommend.store.reports import Span
from shared.database import SQL, Row, Transaction


@dataclass(frozen=True)
class Explored:
    """One answer that was seen: to whom, when (by the event), item keys, and which of them were drawn."""

    recommendation_id: UUID
    customer_id: UUID | None
    at: datetime
    shown: Sequence[int]
    explored: Sequence[int]
    pool: int


def explored_answers(tx: Transaction, span: Span, limit: int) -> list[Explored]:
    """At most `limit` of them, any: the last digits of an id are as good as drawn by lot."""
    return tx.all(
        """
        WITH seen AS (
            SELECT i.recommendation_id, (array_agg(coalesce(i.customer_id, i.identity_id)))[1] AS customer_id,
                   min(i.occurred_at) AS at, array_agg(DISTINCT item) AS shown
            FROM served_context c JOIN impression i ON i.context = c.number
            CROSS JOIN LATERAL unnest(i.item_keys) AS item
            WHERE c.slot = %(slot)s AND i.kind = %(shown)s
              AND i.occurred_at >= %(since)s AND i.occurred_at < %(until)s
            GROUP BY i.recommendation_id
        ), drawn AS (
            SELECT recommendation_id, array_agg(item_key) AS explored, min(pool) AS pool
            FROM explored WHERE pool IS NOT NULL AND recommendation_id IN (SELECT recommendation_id FROM seen)
            GROUP BY recommendation_id
        )
        SELECT recommendation_id, customer_id, at, shown, explored, pool
        FROM seen JOIN drawn USING (recommendation_id)
        ORDER BY right(recommendation_id::text, 5), recommendation_id LIMIT %(limit)s
        """,
        {
            "slot": span.slot,
            "since": span.since,
            "until": span.until,
            "limit": limit,
            "shown": int(Sight.SHOWN),
        },
        into=Explored,
    )


def rewards(tx: Transaction, span: Span, answers: Sequence[UUID], currency: str) -> list[Row]:
    """What was clicked in these answers, and orders of it and what they paid within the window, net of what was given
    back, where no later click on the same item came between.
    """
    return tx.all(
        SQL("""
        WITH {given_back}, clicked AS (
            SELECT DISTINCT i.recommendation_id, item AS item_key
            FROM unnest(%(answers)b::uuid[]) AS asked (recommendation_id)
            JOIN impression i USING (recommendation_id) CROSS JOIN LATERAL unnest(i.item_keys) AS item
            WHERE i.kind = %(clicked)s AND i.occurred_at >= %(since)s AND i.occurred_at < %(until)s + %(window)s
        ), last AS (
            SELECT DISTINCT ON (b.position, b.line) b.position, b.item_key, b.amount_minor, b.currency,
                   i.recommendation_id
            FROM impression i CROSS JOIN LATERAL unnest(i.item_keys) AS item
            JOIN interaction b ON b.customer_id = i.customer_id AND b.item_key = item AND b.kind = %(bought)s
                 AND b.occurred_at >= i.occurred_at AND b.occurred_at <= i.occurred_at + %(window)s
            WHERE i.kind = %(clicked)s AND i.occurred_at >= %(since)s AND i.occurred_at < %(until)s + %(window)s
            ORDER BY b.position, b.line, i.occurred_at DESC
        ), kept AS (
            SELECT last.recommendation_id, last.item_key, count(DISTINCT last.position) AS orders,
                   coalesce(sum(last.amount_minor * (1 - coalesce(g.share, 0)))
                       FILTER (WHERE last.currency = %(currency)s), 0)::float8 AS paid
            FROM last LEFT JOIN given_back g ON g.position = last.position AND g.item = last.item_key::text
            WHERE coalesce(g.share, 0) < 1
            GROUP BY 1, 2
        )
        SELECT recommendation_id, item_key, coalesce(orders, 0) AS orders, coalesce(paid, 0) AS revenue, 1 AS clicks
        FROM clicked LEFT JOIN kept USING (recommendation_id, item_key)
        """).format(given_back=GIVEN_BACK),
        {
            "answers": list(answers),
            "since": span.since,
            "until": span.until,
            "window": span.window,
            "currency": currency,
            "clicked": int(Sight.CLICKED),
            "bought": int(Kind.BOUGHT),
            "returned": int(Kind.RETURNED),
        },
    )
