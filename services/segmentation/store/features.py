"""Profile fields and features of customers, computed from the facts of no later than an instant."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from shared.database import Transaction


def copy_profiles(tx: Transaction, customers: Sequence[UUID]) -> None:
    """Copy what profile publishes of these customers; one that is no more (merged away) loses its rows here."""
    scope = {"customers": customers}
    tx.execute("DELETE FROM customer_profile WHERE customer_id = ANY(%(customers)s)", scope)
    tx.execute(_COPY_PROFILES, scope)
    tx.execute("DELETE FROM customer_feature WHERE customer_id = ANY(%(customers)s)", scope)


def compute(tx: Transaction, customers: Sequence[UUID], as_of: datetime, zone: str, currency: str) -> None:
    """Compute the features of these customers; their old rows must be gone (copy_profiles).

    Reads only facts of `as_of` or before; days are those of time zone `zone`. `currency` is for customers who have
    not bought anything yet.
    """
    tx.execute(_FEATURES, {"customers": customers, "as_of": as_of, "zone": zone, "currency": currency})


def published_ids(tx: Transaction, after: UUID | None, limit: int) -> list[UUID]:
    """The next customers that profile publishes, in order of id."""
    rows = tx.all(
        """
        SELECT customer_id FROM profile_out.customers_v1
        WHERE %(after)s::uuid IS NULL OR customer_id > %(after)s
        ORDER BY customer_id LIMIT %(limit)s
        """,
        {"after": after, "limit": limit},
    )
    return [row["customer_id"] for row in rows]


def computed_ids(tx: Transaction, after: UUID | None, limit: int) -> list[UUID]:
    """The next customers that have features, in order of id."""
    rows = tx.all(
        """
        SELECT customer_id FROM customer_feature
        WHERE %(after)s::uuid IS NULL OR customer_id > %(after)s
        ORDER BY customer_id LIMIT %(limit)s
        """,
        {"after": after, "limit": limit},
    )
    return [row["customer_id"] for row in rows]


def drop_vanished(tx: Transaction) -> list[UUID]:
    """Remove the rows of customers that profile does not publish any more; returns who they were."""
    rows = tx.all(_DROP_VANISHED)
    tx.execute(_DROP_PROFILES)
    tx.execute(_DROP_SCORES)
    return [row["customer_id"] for row in rows]


def count_customers(tx: Transaction) -> int:
    """How many customers profile publishes."""
    return tx.value("SELECT count(*) FROM profile_out.customers_v1") or 0


def feature_row(tx: Transaction, customer_id: UUID) -> dict[str, Any] | None:
    """All features, scores and profile fields of one customer."""
    return tx.one(
        """
        SELECT f.*, s.rfm_r, s.rfm_f, s.rfm_m, s.rfm_cell, s.lifecycle, s.silence, s.basis_id,
               p.identified, p.country, p.city, p.locale, p.time_zone, p.has_email, p.has_phone, p.has_name
        FROM customer_feature AS f
        LEFT JOIN customer_score AS s USING (customer_id)
        LEFT JOIN customer_profile AS p USING (customer_id)
        WHERE f.customer_id = %(customer_id)s
        """,
        {"customer_id": customer_id},
    )


_DROP_VANISHED: Final = """
    DELETE FROM customer_feature AS f
    WHERE NOT EXISTS (SELECT FROM profile_out.customers_v1 AS c WHERE c.customer_id = f.customer_id)
    RETURNING customer_id
"""

_DROP_PROFILES: Final = """
    DELETE FROM customer_profile AS p
    WHERE NOT EXISTS (SELECT FROM customer_feature AS f WHERE f.customer_id = p.customer_id)
"""

_DROP_SCORES: Final = """
    DELETE FROM customer_score AS s
    WHERE NOT EXISTS (SELECT FROM customer_feature AS f WHERE f.customer_id = s.customer_id)
"""

_COPY_PROFILES: Final = """
    INSERT INTO customer_profile (customer_id, identified, user_id, locale, time_zone, country, city,
                                  has_email, has_phone, has_name, traits)
    SELECT customer_id, identified, user_id, locale, time_zone, country, city,
           email IS NOT NULL, phone IS NOT NULL, name IS NOT NULL, traits
    FROM profile_out.customers_v1
    WHERE customer_id = ANY(%(customers)s)
"""


_FEATURES: Final = """
    WITH bounds AS (
        SELECT (%(as_of)s::timestamptz AT TIME ZONE %(zone)s)::date AS today,
               ((%(as_of)s::timestamptz AT TIME ZONE %(zone)s)::date - 30)::timestamp AT TIME ZONE %(zone)s AS since
    ),
    placed AS (
        SELECT position, order_key, customer_id, currency, amount_minor AS gross, discount_minor, placed_at,
               row_number() OVER (PARTITION BY customer_id, currency, amount_minor ORDER BY placed_at, position) AS nth
        FROM purchase
        WHERE kind = 'order' AND customer_id = ANY(%(customers)s) AND occurred_at <= %(as_of)s
          AND (superseded_at IS NULL OR superseded_at > %(as_of)s)
    ),
    linked_refund AS (
        SELECT o.position AS order_position, r.position, r.customer_id, r.amount_minor
        FROM placed AS o
        JOIN purchase AS r ON r.order_key = o.order_key AND r.kind <> 'order' AND r.occurred_at <= %(as_of)s
        WHERE (r.trusted OR r.customer_id = o.customer_id) AND (r.currency = o.currency OR r.amount_minor IS NULL)
    ),
    taken_back AS (
        SELECT order_position, bool_or(amount_minor IS NULL) AS all_of_it, sum(amount_minor) AS amount
        FROM linked_refund GROUP BY order_position
    ),
    -- Returns that name no order we know: one of exactly an earlier order's amount takes that order back.
    loose_refund AS (
        SELECT r.position, r.customer_id, r.currency, r.amount_minor AS amount, r.occurred_at,
               row_number() OVER (PARTITION BY r.customer_id, r.currency, r.amount_minor
                                  ORDER BY r.occurred_at, r.position) AS nth
        FROM purchase AS r
        WHERE r.kind = 'refund' AND r.customer_id = ANY(%(customers)s) AND r.occurred_at <= %(as_of)s
          AND r.amount_minor > 0
          AND NOT EXISTS (SELECT FROM purchase AS o
                          WHERE o.order_key = r.order_key AND o.kind = 'order' AND o.occurred_at <= %(as_of)s)
    ),
    matched AS (
        SELECT o.position AS order_position, r.position
        FROM placed AS o
        JOIN loose_refund AS r ON (r.customer_id, r.currency, r.amount, r.nth)
                                = (o.customer_id, o.currency, o.gross, o.nth) AND r.occurred_at >= o.placed_at
    ),
    settled AS (
        SELECT o.*, (o.placed_at AT TIME ZONE %(zone)s)::date AS day,
               CASE WHEN t.all_of_it OR m.position IS NOT NULL THEN o.gross
                    ELSE least(o.gross, coalesce(t.amount, 0)) END AS refunded,
               NOT (coalesce(t.all_of_it, false) OR m.position IS NOT NULL
                    OR (o.gross > 0 AND coalesce(t.amount, 0) >= o.gross)) AS kept
        FROM placed AS o
        LEFT JOIN taken_back AS t ON t.order_position = o.position
        LEFT JOIN matched AS m ON m.order_position = o.position
    ),
    unmatched AS (
        SELECT * FROM loose_refund AS r WHERE NOT EXISTS (SELECT FROM matched AS m WHERE m.position = r.position)
    ),
    main AS (
        SELECT DISTINCT ON (customer_id) customer_id, currency
        FROM (SELECT customer_id, currency, kept::int AS kept, 1 AS placed, gross FROM settled
              UNION ALL SELECT customer_id, currency, 0, 0, 0 FROM unmatched) AS used
        GROUP BY customer_id, currency
        ORDER BY customer_id, sum(kept) DESC, sum(placed) DESC, sum(gross) DESC, currency
    ),
    loose AS (
        SELECT customer_id, sum(amount) AS amount FROM unmatched JOIN main USING (customer_id, currency)
        GROUP BY customer_id
    ),
    spent AS (
        SELECT s.customer_id,
               count(*) FILTER (WHERE s.kept) AS orders,
               count(*) AS orders_placed,
               count(*) FILTER (WHERE s.kept AND NOT own) AS other_currency_orders,
               count(*) FILTER (WHERE s.kept AND own) AS own_orders,
               coalesce(sum(s.gross) FILTER (WHERE own), 0) AS gross,
               coalesce(sum(s.refunded) FILTER (WHERE own), 0) AS refunded,
               coalesce(sum(s.gross) FILTER (WHERE s.kept AND own), 0) AS kept_gross,
               coalesce(sum(s.gross - s.refunded) FILTER (WHERE s.kept AND own), 0) AS kept_net,
               coalesce(sum(s.discount_minor) FILTER (WHERE s.kept AND own), 0) AS discount,
               min(s.placed_at) FILTER (WHERE s.kept) AS first_order_at,
               max(s.placed_at) FILTER (WHERE s.kept) AS last_order_at
        FROM settled AS s
        JOIN main AS m USING (customer_id), LATERAL (SELECT s.currency = m.currency AS own) AS c
        GROUP BY s.customer_id
    ),
    rhythm AS (
        SELECT customer_id, count(*) AS order_days, max(day) AS last_day,
               coalesce(array_agg(gap ORDER BY day) FILTER (WHERE gap IS NOT NULL), '{}') AS gaps
        FROM (SELECT customer_id, day, day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap
              FROM (SELECT DISTINCT customer_id, day FROM settled WHERE kept) AS days) AS spaced
        GROUP BY customer_id
    ),
    moved AS (
        SELECT customer_id, currency, position, 1 AS sign FROM settled WHERE kept
        UNION ALL
        SELECT o.customer_id, o.currency, r.position, -1
        FROM settled AS o JOIN linked_refund AS r ON r.order_position = o.position WHERE o.kept
        UNION ALL
        SELECT customer_id, currency, position, -1 FROM unmatched
    ),
    bought AS (
        SELECT m.customer_id, l.category, l.product_id, m.sign * l.quantity AS quantity,
               CASE WHEN m.currency = c.currency THEN m.sign * l.total_minor ELSE 0 END AS spend, m.sign
        FROM moved AS m
        JOIN order_line AS l USING (position)
        JOIN main AS c ON c.customer_id = m.customer_id
    ),
    basket AS (
        SELECT customer_id, sum(quantity) AS items,
               count(DISTINCT product_id) FILTER (WHERE sign = 1) AS distinct_products
        FROM bought GROUP BY customer_id
    ),
    liking AS (
        SELECT customer_id, array_agg(category ORDER BY spend DESC, lines DESC, category) AS categories
        FROM (SELECT customer_id, category, sum(spend) AS spend, sum(sign) AS lines
              FROM bought WHERE category IS NOT NULL GROUP BY customer_id, category) AS by_category
        WHERE spend > 0
        GROUP BY customer_id
    ),
    -- The first and the last by one look each into event_fact_customer: a long history costs no more than a short one.
    seen AS (
        SELECT who.customer_id, oldest.occurred_at AS first_at, newest.occurred_at AS last_at
        FROM unnest(%(customers)s::uuid[]) AS who (customer_id)
        CROSS JOIN LATERAL (SELECT e.occurred_at FROM event_fact AS e
                            WHERE e.customer_id = who.customer_id AND e.occurred_at <= %(as_of)s
                            ORDER BY e.occurred_at LIMIT 1) AS oldest
        CROSS JOIN LATERAL (SELECT e.occurred_at FROM event_fact AS e
                            WHERE e.customer_id = who.customer_id AND e.occurred_at <= %(as_of)s
                            ORDER BY e.occurred_at DESC LIMIT 1) AS newest
    ),
    -- By session first: counting different ones in one step would sort all rows.
    lively AS (
        SELECT customer_id, sum(events) AS events, sum(page_views) AS page_views, count(session_id) AS sessions
        FROM (SELECT customer_id, session_id, count(*) AS events,
                     count(*) FILTER (WHERE event IN ('$page', '$screen')) AS page_views
              FROM event_fact, bounds
              WHERE customer_id = ANY(%(customers)s) AND occurred_at <= %(as_of)s AND occurred_at >= bounds.since
              GROUP BY customer_id, session_id) AS by_session
        GROUP BY customer_id
    ),
    nameless_visit AS (
        SELECT customer_id, count(*) FILTER (WHERE starts) AS sessions
        FROM (SELECT customer_id,
                     coalesce(occurred_at - lag(occurred_at) OVER (PARTITION BY customer_id ORDER BY occurred_at,
                                                                   position) > interval '30 minutes', true) AS starts
              FROM event_fact, bounds
              WHERE customer_id = ANY(%(customers)s) AND occurred_at <= %(as_of)s AND occurred_at >= bounds.since
                AND session_id IS NULL AND event IN ('$page', '$screen')) AS page
        GROUP BY customer_id
    )
    INSERT INTO customer_feature (
        customer_id, currency, orders, orders_placed, other_currency_orders, gross_spend_minor, refunds_minor,
        net_spend_minor, discount_minor, discount_share, avg_order_minor, first_order_at, last_order_at, recency_days,
        order_days, gaps_days, mean_gap_days, last_gap_days, previous_gap_days, items, distinct_products,
        favourite_category, favourite_categories, first_seen_at, last_seen_at, days_since_seen,
        events_30d, page_views_30d, sessions_30d, as_of
    )
    SELECT p.customer_id, coalesce(m.currency, %(currency)s),
           coalesce(s.orders, 0), coalesce(s.orders_placed, 0), coalesce(s.other_currency_orders, 0),
           coalesce(s.gross, 0), coalesce(s.refunded, 0) + coalesce(l.amount, 0),
           coalesce(s.gross, 0) - coalesce(s.refunded, 0) - coalesce(l.amount, 0),
           coalesce(s.discount, 0), s.discount / nullif(s.kept_gross + s.discount, 0)::float8,
           round(s.kept_net / nullif(s.own_orders, 0)),
           s.first_order_at, s.last_order_at, b.today - r.last_day,
           coalesce(r.order_days, 0), coalesce(r.gaps, '{}'), mean.gap, r.gaps[r.order_days - 1], mean.gap_before,
           coalesce(k.items, 0), coalesce(k.distinct_products, 0),
           g.categories[1], coalesce(g.categories[1:3], '{}'),
           e.first_at, e.last_at, b.today - (e.last_at AT TIME ZONE %(zone)s)::date,
           coalesce(v.events, 0), coalesce(v.page_views, 0),
           coalesce(v.sessions, 0) + coalesce(n.sessions, 0), %(as_of)s
    FROM customer_profile AS p
    CROSS JOIN bounds AS b
    LEFT JOIN main AS m USING (customer_id)
    LEFT JOIN spent AS s USING (customer_id)
    LEFT JOIN loose AS l USING (customer_id)
    LEFT JOIN rhythm AS r USING (customer_id)
    LEFT JOIN basket AS k USING (customer_id)
    LEFT JOIN liking AS g USING (customer_id)
    LEFT JOIN seen AS e USING (customer_id)
    LEFT JOIN lively AS v USING (customer_id)
    LEFT JOIN nameless_visit AS n USING (customer_id)
    LEFT JOIN LATERAL (
        SELECT avg(gap) AS gap, avg(gap) FILTER (WHERE nth < r.order_days - 1) AS gap_before
        FROM unnest(r.gaps) WITH ORDINALITY AS own(gap, nth)
    ) AS mean ON true
    WHERE p.customer_id = ANY(%(customers)s)
"""
