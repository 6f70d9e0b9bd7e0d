"""What the console shows of customers as a whole and one by one."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from shared.database import Transaction


def event_names(tx: Transaction) -> list[str]:
    """The names of the events there are, a skip from one to the next through the index."""
    return [row["event"] for row in tx.all(_EVENT_NAMES)]


def known_values(tx: Transaction) -> dict[str, list[str]]:
    """Names of traits, and categories that are somebody's favourite, as far as a sample of customers shows them."""
    traits = tx.all(_TRAIT_NAMES)
    categories = tx.all(_CATEGORIES)
    return {"trait_names": [row["name"] for row in traits], "categories": [row["name"] for row in categories]}


def customers(tx: Transaction, filters: dict[str, Any], after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """Customers in order of id, of one RFM cell and lifecycle stage if those are given."""
    return tx.all(_CUSTOMERS, {**filters, "after": after, "limit": limit})


def totals(tx: Transaction, as_of: datetime) -> list[dict[str, Any]]:
    """Per currency: orders, gross, returned and net money, guests' included; the biggest first."""
    return tx.all(_TOTALS, {"as_of": as_of})


def weeks(tx: Transaction, as_of: datetime, zone: str, currency: str, count: int) -> list[dict[str, Any]]:
    """Orders and gross money of the last `count` weeks (Mondays of the shop), guests' included."""
    return tx.all(_WEEKS, {"as_of": as_of, "zone": zone, "currency": currency, "weeks": count})


def population(tx: Transaction) -> dict[str, Any]:
    """Customers: all, identified, with orders, with a second order."""
    return tx.one(_POPULATION) or {}


def groups(tx: Transaction) -> list[dict[str, Any]]:
    """Customers and their net spend by RFM cell and lifecycle stage."""
    return tx.all(_GROUPS)


_EVENT_NAMES: Final = """
    WITH RECURSIVE named AS (
        (SELECT event FROM event_fact ORDER BY event LIMIT 1)
        UNION ALL
        SELECT (SELECT e.event FROM event_fact AS e WHERE e.event > n.event ORDER BY e.event LIMIT 1)
        FROM named AS n WHERE n.event IS NOT NULL
    )
    SELECT event FROM named WHERE event IS NOT NULL LIMIT 500
"""

_TRAIT_NAMES: Final = """
    SELECT DISTINCT name
    FROM (SELECT traits FROM customer_profile WHERE traits <> '{}' LIMIT 5000) AS sample,
         jsonb_object_keys(traits) AS name
    ORDER BY name LIMIT 500
"""

_CATEGORIES: Final = """
    SELECT favourite_category AS name
    FROM customer_feature WHERE favourite_category IS NOT NULL
    GROUP BY favourite_category ORDER BY count(*) DESC, favourite_category LIMIT 200
"""

_CUSTOMERS: Final = """
    SELECT f.customer_id, coalesce(p.identified, false) AS identified, f.orders, f.net_spend_minor, f.currency,
           f.first_order_at, f.last_order_at, f.recency_days, f.avg_order_minor, f.favourite_category,
           f.discount_share, s.rfm_r, s.rfm_f, s.rfm_m, s.rfm_cell, s.lifecycle, f.as_of
    FROM customer_feature AS f
    LEFT JOIN customer_score AS s USING (customer_id)
    LEFT JOIN customer_profile AS p USING (customer_id)
    WHERE (%(after)s::uuid IS NULL OR f.customer_id > %(after)s)
      AND (%(rfm_cell)s::text IS NULL OR s.rfm_cell = %(rfm_cell)s)
      AND (%(lifecycle)s::text IS NULL OR s.lifecycle = %(lifecycle)s)
    ORDER BY f.customer_id LIMIT %(limit)s
"""

_TOTALS: Final = """
    WITH placed AS (
        SELECT order_key, customer_id, currency, amount_minor AS gross
        FROM purchase
        WHERE kind = 'order' AND occurred_at <= %(as_of)s AND (superseded_at IS NULL OR superseded_at > %(as_of)s)
    ),
    taken_back AS (
        SELECT o.order_key, bool_or(r.amount_minor IS NULL) AS all_of_it, sum(r.amount_minor) AS amount
        FROM placed AS o
        JOIN purchase AS r ON r.order_key = o.order_key AND r.kind <> 'order' AND r.occurred_at <= %(as_of)s
        WHERE (r.trusted OR r.customer_id = o.customer_id) AND (r.currency = o.currency OR r.amount_minor IS NULL)
        GROUP BY o.order_key
    ),
    loose AS (
        SELECT currency, sum(amount_minor) AS amount
        FROM purchase AS r
        WHERE kind = 'refund' AND occurred_at <= %(as_of)s
          AND NOT EXISTS (SELECT FROM purchase AS o
                          WHERE o.order_key = r.order_key AND o.kind = 'order' AND o.occurred_at <= %(as_of)s)
        GROUP BY currency
    ),
    ordered AS (
        SELECT o.currency, count(*) AS orders, count(*) FILTER (WHERE o.customer_id IS NULL) AS guest_orders,
               sum(o.gross) AS gross_minor,
               coalesce(sum(o.gross) FILTER (WHERE o.customer_id IS NULL), 0) AS guest_gross_minor,
               sum(CASE WHEN t.all_of_it THEN o.gross ELSE least(o.gross, coalesce(t.amount, 0)) END) AS refunded
        FROM placed AS o LEFT JOIN taken_back AS t USING (order_key)
        GROUP BY o.currency
    )
    SELECT currency, coalesce(orders, 0) AS orders, coalesce(guest_orders, 0) AS guest_orders,
           coalesce(gross_minor, 0)::bigint AS gross_minor, coalesce(guest_gross_minor, 0)::bigint AS guest_gross_minor,
           (coalesce(refunded, 0) + coalesce(amount, 0))::bigint AS refunds_minor,
           (coalesce(gross_minor, 0) - coalesce(refunded, 0) - coalesce(amount, 0))::bigint AS net_minor
    FROM ordered FULL JOIN loose USING (currency)
    ORDER BY gross_minor DESC, currency
"""

_WEEKS: Final = """
    SELECT date_trunc('week', placed_at AT TIME ZONE %(zone)s)::date AS week, count(*) AS orders,
           sum(amount_minor)::bigint AS gross_minor, count(DISTINCT customer_id) AS buyers
    FROM purchase
    WHERE kind = 'order' AND currency = %(currency)s AND occurred_at <= %(as_of)s
      AND (superseded_at IS NULL OR superseded_at > %(as_of)s)
      AND placed_at >= (date_trunc('week', %(as_of)s::timestamptz AT TIME ZONE %(zone)s)
                        - (%(weeks)s - 1) * interval '1 week') AT TIME ZONE %(zone)s
    GROUP BY week ORDER BY week
"""

_POPULATION: Final = """
    SELECT count(*) AS customers, count(*) FILTER (WHERE p.identified) AS identified,
           count(*) FILTER (WHERE f.orders > 0) AS buyers, count(*) FILTER (WHERE f.orders > 1) AS repeat_buyers,
           max(f.as_of) AS as_of
    FROM customer_feature AS f LEFT JOIN customer_profile AS p USING (customer_id)
"""

_GROUPS: Final = """
    SELECT s.rfm_cell, s.lifecycle, f.currency, count(*) AS customers, sum(f.net_spend_minor)::bigint AS net_spend_minor
    FROM customer_feature AS f JOIN customer_score AS s USING (customer_id)
    WHERE f.orders > 0
    GROUP BY s.rfm_cell, s.lifecycle, f.currency
"""
