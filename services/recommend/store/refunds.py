"""What was given back of orders: written from the log, and taken off what was bought."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Final

from services.recommend.domain.interactions import Kind
from services.recommend.domain.refunds import Refund
from shared.database import SQL, Literal, Transaction

# For a WITH clause: `given_back (position, item, share)`, which part of an item of an order, 0 to 1, was given back, of
# purchases since `since`. `item` is the item's key, or = and the id of a product that the catalogue does not have.
# Goods first, each return what it says it is worth, else by the pieces; then money given back for the order as a whole,
# as a share of what is left of it. A return that names no order is of the last purchase of that item before it.
GIVEN_BACK: Final = SQL("""
    order_refund AS (
        SELECT f.position AS event, p.position, f.whole, f.amount_minor, f.currency, p.total_minor, p.total_currency
        FROM refund f JOIN purchase p USING (order_id)
        WHERE p.occurred_at >= %(since)s AND p.position IS NOT NULL AND (f.trusted OR NOT p.trusted)
    ), returned AS (
        SELECT o.position, r.position AS event, coalesce(r.item_key::text, '=' || r.product_id) AS item, r.quantity,
               r.amount_minor, r.currency, o.amount_minor AS at_most, o.currency AS at_most_currency
        FROM order_refund o JOIN interaction r ON r.position = o.event
        WHERE NOT o.whole AND r.kind = %(returned)s
        UNION ALL
        SELECT last.position, r.position, coalesce(r.item_key::text, '=' || r.product_id), r.quantity,
               r.amount_minor, r.currency, NULL, NULL
        FROM interaction r CROSS JOIN LATERAL (
            SELECT b.position FROM interaction b
            WHERE b.customer_id = r.customer_id AND b.item_key = r.item_key AND b.kind = %(bought)s
              AND b.occurred_at <= r.occurred_at
            ORDER BY b.occurred_at DESC, b.position DESC LIMIT 1
        ) AS last
        WHERE r.kind = {returned} AND r.occurred_at >= %(since)s AND NOT EXISTS (
            SELECT FROM refund f JOIN purchase p USING (order_id) WHERE f.position = r.position
              AND p.position IS NOT NULL)
    ), line AS (
        SELECT b.position, coalesce(b.item_key::text, '=' || b.product_id) AS item, max(b.currency) AS currency,
               sum(b.quantity) AS quantity, nullif(sum(b.amount_minor), 0)::float8 AS amount
        FROM interaction b
        WHERE b.kind = %(bought)s
          AND b.position IN (SELECT position FROM order_refund UNION SELECT position FROM returned)
        GROUP BY 1, 2
    ), worth AS (
        SELECT l.position, r.event, l.item, l.amount, r.at_most, r.at_most_currency, l.currency,
               least(1, CASE WHEN r.currency = l.currency AND l.amount IS NOT NULL THEN r.amount_minor / l.amount
                             WHEN l.quantity > 0 THEN r.quantity / l.quantity ELSE 1 END) AS share
        FROM returned r JOIN line l USING (position, item)
    ), capped AS (
        SELECT position, item, share * CASE
                   WHEN at_most_currency = currency THEN least(1, at_most / nullif(
                       sum(share * amount) OVER (PARTITION BY event), 0))
                   ELSE 1 END AS share
        FROM worth
    ), goods AS (
        SELECT l.position, l.item, l.amount, l.currency, least(1, coalesce(sum(c.share), 0)) AS share
        FROM line l LEFT JOIN capped c USING (position, item)
        GROUP BY 1, 2, 3, 4
    ), money AS (
        SELECT o.position, bool_or(o.amount_minor IS NULL) AS everything,
               coalesce(sum(o.amount_minor) FILTER (WHERE o.currency = k.currency), 0)::float8 AS amount,
               min(greatest(0, CASE WHEN o.total_currency = k.currency THEN o.total_minor ELSE k.amount END - k.taken))
                   AS remaining
        FROM order_refund o JOIN (
            SELECT position, max(currency) AS currency, sum(amount) AS amount, coalesce(sum(amount * share), 0) AS taken
            FROM goods GROUP BY position
        ) AS k USING (position)
        WHERE o.whole GROUP BY o.position
    ), given_back AS (
        SELECT g.position, g.item, 1 - (1 - g.share) * (1 - CASE
                   WHEN m.position IS NULL THEN 0
                   WHEN m.everything OR coalesce(m.remaining, 0) = 0 THEN 1
                   ELSE least(1, m.amount / m.remaining) END) AS share
        FROM goods g LEFT JOIN money m USING (position)
    )
""").format(returned=Literal(int(Kind.RETURNED)))  # spelt out, so that the index of returns is found


def add(tx: Transaction, refunds: Sequence[Refund]) -> None:
    """Write refunds, each entry of the log once; they may come before their order."""
    tx.execute(
        """
        INSERT INTO refund (position, order_id, whole, amount_minor, currency, trusted)
        SELECT * FROM unnest(%(position)b::bigint[], %(order_id)b::text[], %(whole)b::boolean[],
                             %(amount_minor)b::bigint[], %(currency)b::text[], %(trusted)b::boolean[])
        ON CONFLICT DO NOTHING
        """,
        {field.name: [getattr(refund, field.name) for refund in refunds] for field in fields(Refund)},
    )
