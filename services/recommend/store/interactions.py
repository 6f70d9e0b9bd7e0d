"""What people did: lines written from the log, and the state of their orders."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields
from uuid import UUID

from services.recommend.domain.interactions import Entry, Kind, Line, Purchase
from shared import connections, log
from shared.database import Transaction

READER = "recommend"
EVENTS = "profile_out.events_v1"


def read_entries(tx: Transaction, limit: int) -> list[Entry]:
    """The next entries of profile's log; the cursor moves with this transaction."""
    connections.use_orjson(tx.connection)
    return log.read(tx, READER, EVENTS, [field.name for field in fields(Entry)], limit=limit, into=Entry)


def lag(tx: Transaction) -> int:
    """How many entries of the log are still to be read."""
    return log.lag(tx, READER, EVENTS)


def position(tx: Transaction) -> int:
    """The position of the last entry that took effect here."""
    return log.cursor(tx, READER)


def hold_catalogue(tx: Transaction) -> None:
    """Let no one change the catalogue until this transaction ends.

    So an item that is being created now either is seen here, or its writer sees our lines and links them.
    """
    tx.execute("SELECT 1 FROM log_head WHERE log = 'catalogue' FOR SHARE")


def add_lines(tx: Transaction, lines: Sequence[Line]) -> None:
    """Write lines; those of products the catalogue does not have keep the product id that was claimed."""
    keys = _item_keys(tx, {line.product_id for line in lines})
    tx.copy(
        "interaction",
        (
            *("position", "line", "identity_id", "customer_id", "item_key", "product_id", "kind", "quantity"),
            *("occurred_at", "recommendation_id", "amount_minor", "currency"),
        ),
        (
            (
                line.position,
                line.line,
                line.identity_id,
                line.customer_id,
                key := keys.get(line.product_id),
                line.product_id if key is None else None,
                line.kind.value,
                line.quantity,
                line.occurred_at,
                line.recommendation_id,
                line.amount_minor,
                line.currency,
            )
            for line in lines
        ),
        (
            *("int8", "int4", "uuid", "uuid", "int4", "text", "int2", "float4", "timestamptz", "uuid"),
            *("int8", "text"),
        ),
    )


def _item_keys(tx: Transaction, product_ids: Collection[str]) -> dict[str, int]:
    rows = tx.all("SELECT item_id, item_key FROM item WHERE item_id = ANY(%(ids)b::text[])", {"ids": list(product_ids)})
    return {row["item_id"]: row["item_key"] for row in rows}


def remove_lines(tx: Transaction, positions: Collection[int]) -> None:
    """Take back the lines of these events (claims about an order that are no longer in force)."""
    tx.execute("DELETE FROM interaction WHERE position = ANY(%(positions)s)", {"positions": list(positions)})


def purchases(tx: Transaction, order_ids: Collection[str]) -> dict[str, Purchase]:
    """What is known of these orders."""
    rows = tx.all(
        """
        SELECT order_id, position, occurred_at, revised, trusted, cancel_position, cancelled_at,
               total_minor, total_currency
        FROM purchase WHERE order_id = ANY(%(ids)b::text[])
        """,
        {"ids": list(order_ids)},
        into=Purchase,
    )
    return {row.order_id: row for row in rows}


def put_purchases(tx: Transaction, settled: Sequence[Purchase]) -> None:
    """Write the state of orders."""
    tx.execute(
        """
        INSERT INTO purchase (order_id, position, occurred_at, revised, trusted, cancel_position, cancelled_at,
                              total_minor, total_currency)
        SELECT * FROM unnest(
            %(order_id)b::text[], %(position)b::bigint[], %(occurred_at)b::timestamptz[],
            %(revised)b::boolean[], %(trusted)b::boolean[], %(cancel_position)b::bigint[],
            %(cancelled_at)b::timestamptz[], %(total_minor)b::bigint[], %(total_currency)b::text[])
        ON CONFLICT (order_id) DO UPDATE SET
            position = excluded.position, occurred_at = excluded.occurred_at,
            revised = excluded.revised, trusted = excluded.trusted, cancel_position = excluded.cancel_position,
            cancelled_at = excluded.cancelled_at, total_minor = excluded.total_minor,
            total_currency = excluded.total_currency
        """,
        {field.name: [getattr(purchase, field.name) for purchase in settled] for field in fields(Purchase)},
    )


def return_whole_orders(tx: Transaction, order_ids: Collection[str]) -> None:
    """Write a return beside every line in force of those of these orders that were undone."""
    tx.execute(
        """
        INSERT INTO interaction (position, line, identity_id, customer_id, item_key, product_id, kind, quantity,
                                 occurred_at)
        SELECT p.cancel_position, i.line, i.identity_id, i.customer_id, i.item_key, i.product_id, %(returned)s,
               i.quantity, p.cancelled_at
        FROM purchase p JOIN interaction i ON i.position = p.position AND i.kind = %(bought)s
        WHERE p.order_id = ANY(%(order_ids)b::text[]) AND p.cancel_position IS NOT NULL
        """,
        {"order_ids": list(order_ids), "bought": Kind.BOUGHT.value, "returned": Kind.RETURNED.value},
    )


def rederive_customers(tx: Transaction, identities: Collection[UUID]) -> None:
    """Give the lines of these identities to the customers they belong to now (after a merge or a split)."""
    tx.execute(
        """
        UPDATE interaction SET customer_id = m.customer_id
        FROM profile_out.identity_map_v1 m
        WHERE m.identity_id = ANY(%(identities)b::uuid[])
          AND interaction.identity_id = m.identity_id
          AND interaction.customer_id IS DISTINCT FROM m.customer_id
        """,
        {"identities": list(identities)},
    )


def learn_aliases(tx: Transaction, aliases: Iterable[tuple[str, UUID]]) -> None:
    """Remember which identity an id of the shop's stands for. The first to be seen stays."""
    pairs = dict(aliases)
    tx.execute(
        """
        INSERT INTO identity_alias (alias, identity_id)
        SELECT * FROM unnest(%(aliases)b::text[], %(identities)b::uuid[])
        ON CONFLICT DO NOTHING
        """,
        {"aliases": list(pairs), "identities": list(pairs.values())},
    )
