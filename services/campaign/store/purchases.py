"""Purchases and refunds, as far as reports need them."""

from collections.abc import Sequence
from typing import Any

from shared.database import Row, Transaction

# What the reader looks at first: everything but the payloads, most of which are not for us.
ENTRY_COLUMNS = ("position", "type", "event", "identity_id", "customer_id", "occurred_at", "trusted")


def payloads(tx: Transaction, positions: Sequence[int]) -> dict[int, Row]:
    """Properties (without the lines where the order states its worth), message id and address of these entries."""
    rows = tx.all(
        """
        SELECT position, message_id, customer_id, source,
               payload->'context'->'traits'->>'email' AS email,
               payload->'properties'->>'email' AS named_email,
               payload->'context'->'library'->>'name' AS library,
               CASE WHEN payload->'properties' ? 'revenue' OR payload->'properties' ? 'total'
                    THEN (payload->'properties') - 'products' ELSE payload->'properties' END AS properties
        FROM profile_out.events_v1 WHERE position = ANY(%(positions)s)
        """,
        {"positions": list(positions)},
    )
    return {row["position"]: row for row in rows}


def merge_payloads(tx: Transaction, positions: Sequence[int]) -> list[Row]:
    """The merges and splits among these entries."""
    return tx.all(
        """
        SELECT position, type, payload FROM profile_out.events_v1
        WHERE position = ANY(%(positions)s) ORDER BY position
        """,
        {"positions": list(positions)},
    )


def state_orders(tx: Transaction, orders: Sequence[dict[str, Any]]) -> None:
    """Orders as last stated (one statement per order id). What a browser says never replaces what a server said."""
    if not orders:
        return
    tx.execute(
        """
        INSERT INTO purchase (order_id, identity_id, customer_id, ordered_at, revenue_minor, currency,
                              trusted, stated_position)
        SELECT order_id, identity_id, customer_id, ordered_at, revenue_minor, currency, trusted, position
        FROM unnest(%(order_ids)s::text[], %(identity_ids)s::uuid[], %(customer_ids)s::uuid[],
                    %(ordered_ats)s::timestamptz[], %(revenues)s::bigint[], %(currencies)s::text[],
                    %(trusted)s::boolean[], %(positions)s::bigint[])
             AS told (order_id, identity_id, customer_id, ordered_at, revenue_minor, currency, trusted, position)
        ON CONFLICT (order_id) DO UPDATE SET
            revenue_minor = excluded.revenue_minor, currency = excluded.currency,
            trusted = excluded.trusted, stated_position = excluded.stated_position,
            ordered_at = least(purchase.ordered_at, excluded.ordered_at)
        WHERE excluded.trusted OR NOT purchase.trusted
        """,
        {
            "order_ids": [o["order_id"] for o in orders],
            "identity_ids": [o["identity_id"] for o in orders],
            "customer_ids": [o["customer_id"] for o in orders],
            "ordered_ats": [o["ordered_at"] for o in orders],
            "revenues": [o["revenue_minor"] for o in orders],
            "currencies": [o["currency"] for o in orders],
            "trusted": [o["trusted"] for o in orders],
            "positions": [o["position"] for o in orders],
        },
    )


def add_refunds(tx: Transaction, refunds: Sequence[dict[str, Any]]) -> None:
    """Refunds, each log entry once; they may arrive before their order."""
    if not refunds:
        return
    tx.execute(
        """
        INSERT INTO refund (position, order_id, amount_minor, currency)
        SELECT * FROM unnest(%(positions)s::bigint[], %(order_ids)s::text[], %(amounts)s::bigint[],
                             %(currencies)s::text[])
        ON CONFLICT DO NOTHING
        """,
        {
            "positions": [r["position"] for r in refunds],
            "order_ids": [r["order_id"] for r in refunds],
            "amounts": [r["amount_minor"] for r in refunds],
            "currencies": [r["currency"] for r in refunds],
        },
    )
