"""The facts: events, purchases and their lines."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.segmentation.domain.facts import Facts
from shared import connections, log
from shared.database import Transaction

READER: Final = "segmentation"
VIEW: Final = "profile_out.events_v1"
_ENTRY: Final = ("position", "type", "event", "identity_id", "customer_id", "occurred_at", "trusted", "payload")

_EVENT: Final = ("position", "identity_id", "customer_id", "event", "occurred_at", "session_id", "properties")
_EVENT_TYPES: Final = ("int8", "uuid", "uuid", "text", "timestamptz", "text", "jsonb")
_PURCHASE: Final = (
    *("position", "kind", "order_key", "identity_id", "customer_id", "occurred_at", "placed_at"),
    *("trusted", "amount_minor", "discount_minor", "currency"),
)
_PURCHASE_TYPES: Final = (
    *("int8", "text", "text", "uuid", "uuid", "timestamptz", "timestamptz"),
    *("bool", "int8", "int8", "text"),
)
_LINE: Final = ("position", "line", "product_id", "category", "quantity", "total_minor", "discount_minor")
_LINE_TYPES: Final = ("int8", "int4", "text", "text", "float8", "int8", "int8")


def next_entries(tx: Transaction, limit: int) -> list[dict[str, Any]]:
    """The next entries of profile's log; the cursor moves with this transaction."""
    connections.use_orjson(tx.connection)
    return log.read(tx, READER, VIEW, _ENTRY, limit=limit)


def add_facts(tx: Transaction, facts: Facts) -> None:
    """Store new rows. Each position comes once: the reader's cursor moves in the same transaction."""
    connections.use_orjson(tx.connection)
    if facts.events:
        tx.copy("event_fact", _EVENT, facts.events, _EVENT_TYPES)
    if facts.purchases:
        tx.copy("purchase", _PURCHASE, facts.purchases, _PURCHASE_TYPES)
    if facts.lines:
        tx.copy("order_line", _LINE, facts.lines, _LINE_TYPES)


def move_identities(tx: Transaction, identities: Collection[UUID]) -> None:
    """Give the facts of these identities, and their places on lists, to the customers they belong to now."""
    for statement in (_MOVE_EVENTS, _MOVE_PURCHASES, _MOVE_LISTED):
        tx.execute(statement, {"identities": list(identities)})


def settle_versions(tx: Transaction, order_keys: Collection[str]) -> None:
    """Work out which version of each of these orders is in force when, and when the order was placed.

    A later version replaces an earlier one, but what a browser claims never replaces what a server said. All
    versions carry the time of the first. Only rows that change are written.
    """
    tx.execute(_SETTLE, {"order_keys": list(order_keys)})


def touch(tx: Transaction, facts: Facts) -> None:
    """Note whose features and memberships are behind, the owners of older versions of the same orders included."""
    tx.copy(
        "touched",
        ("customer_id", "due_at", "position"),
        [(customer, due, facts.last_position) for customer, due in facts.touched],
        ("uuid", "timestamptz", "int8"),
    )
    tx.execute(_TOUCH_OWNERS, {"order_keys": list(facts.order_keys), "position": facts.last_position})


def take_due(tx: Transaction, as_of: datetime, limit: int) -> tuple[list[UUID], bool]:
    """Take customers that are behind, those who have been for longest, by at most `limit` notes about them.

    Whoever takes them brings them up to date before it commits. Also returns whether there may be more.
    """
    rows = tx.all(_TAKE_DUE, {"as_of": as_of, "limit": limit})
    return [row["customer_id"] for row in rows], sum(row["notes"] for row in rows) >= limit


def take_due_of(tx: Transaction, customers: Sequence[UUID], as_of: datetime) -> list[UUID]:
    """Take those of these customers that are behind.

    Whoever takes them brings them up to date before it commits.
    """
    rows = tx.all(
        "DELETE FROM touched WHERE customer_id = ANY(%(customers)s) AND due_at <= %(as_of)s RETURNING customer_id",
        {"customers": customers, "as_of": as_of},
    )
    return list({row["customer_id"] for row in rows})


def take_stock(tx: Transaction) -> None:
    """Let the planner know how much there is: after an import it would plan for a table that was empty a minute ago."""
    tx.execute("ANALYZE purchase, order_line, event_fact")


# An array instead of a join: the table is empty whenever it is analysed in a quiet moment, and a planner that takes it
# for empty does not care in which order it joins.
_TAKE_DUE: Final = """
    WITH taken AS (
        DELETE FROM touched
        WHERE due_at <= %(as_of)s AND customer_id = ANY(ARRAY(
            SELECT customer_id FROM touched WHERE due_at <= %(as_of)s ORDER BY due_at, position LIMIT %(limit)s
        ))
        RETURNING customer_id
    )
    SELECT customer_id, count(*) AS notes FROM taken GROUP BY customer_id
"""

_MOVE_EVENTS: Final = """
    UPDATE event_fact AS f SET customer_id = m.customer_id
    FROM profile_out.identity_map_v1 AS m
    WHERE m.identity_id = ANY(%(identities)s) AND f.identity_id = m.identity_id
      AND f.customer_id IS DISTINCT FROM m.customer_id
"""

_MOVE_PURCHASES: Final = """
    UPDATE purchase AS f SET customer_id = m.customer_id
    FROM profile_out.identity_map_v1 AS m
    WHERE m.identity_id = ANY(%(identities)s) AND f.identity_id = m.identity_id
      AND f.customer_id IS DISTINCT FROM m.customer_id
"""

_MOVE_LISTED: Final = """
    UPDATE listed AS f SET customer_id = m.customer_id
    FROM profile_out.identity_map_v1 AS m
    WHERE m.identity_id = ANY(%(identities)s) AND f.identity_id = m.identity_id
      AND f.customer_id IS DISTINCT FROM m.customer_id
"""

_SETTLE: Final = """
    WITH version AS (
        SELECT position, occurred_at, trusted,
               min(occurred_at) OVER (PARTITION BY order_key) AS placed_at,
               min(occurred_at) FILTER (WHERE trusted) OVER (PARTITION BY order_key) AS confirmed_at,
               lead(occurred_at) OVER (PARTITION BY order_key, trusted ORDER BY occurred_at, position) AS replaced_at
        FROM purchase
        WHERE order_key = ANY(%(order_keys)s) AND kind = 'order'
    ),
    settled AS (
        SELECT position, placed_at,
               CASE WHEN trusted OR confirmed_at IS NULL THEN replaced_at
                    ELSE least(replaced_at, greatest(occurred_at, confirmed_at)) END AS superseded_at
        FROM version
    )
    UPDATE purchase AS p
    SET placed_at = s.placed_at, superseded_at = s.superseded_at
    FROM settled AS s
    WHERE p.position = s.position
      AND (p.placed_at, p.superseded_at) IS DISTINCT FROM (s.placed_at, s.superseded_at)
"""

_TOUCH_OWNERS: Final = """
    INSERT INTO touched (customer_id, due_at, position)
    SELECT DISTINCT customer_id, timestamptz 'epoch', %(position)s::bigint
    FROM purchase
    WHERE order_key = ANY(%(order_keys)s) AND customer_id IS NOT NULL
    ON CONFLICT DO NOTHING
"""
