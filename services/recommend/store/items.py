"""The catalogue's table."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from services.recommend.domain.items import Item
from shared import log
from shared.database import Row, Transaction


def put_items(tx: Transaction, items: Sequence[Item]) -> None:
    """Create or replace `items` (each id once) as one new version of the catalogue, and link lines that awaited them.

    Writers of the catalogue follow one another: the head row of its version is locked to the commit.
    """
    version = log.reserve(tx, "catalogue", 1)
    columns = _as_columns(items)
    known = tx.value("SELECT count(*) FROM item WHERE item_id = ANY(%(item_id)s)", columns)
    created = len(items) - known
    first_key = log.reserve(tx, "item_key", created) - 1 if created else 0
    tx.execute(
        """
        INSERT INTO item (item_id, item_key, name, category, brand, price_minor, currency, available, stock, url,
                          image_url, attributes, published_at, version, kind)
        SELECT g.item_id,
               coalesce(i.item_key,
                        %(first_key)s - 1 + count(*) FILTER (WHERE i.item_id IS NULL) OVER (ORDER BY g.number)),
               g.name, ARRAY(SELECT jsonb_array_elements_text(g.category)), g.brand, g.price_minor, g.currency,
               g.available, g.stock, g.url, g.image_url, g.attributes, g.published_at, %(version)s, g.kind
        FROM unnest(%(item_id)b::text[], %(name)b::text[], %(category)b::text[]::jsonb[], %(brand)b::text[],
                    %(price_minor)b::bigint[], %(currency)b::text[], %(available)b::boolean[], %(stock)b::integer[],
                    %(url)b::text[], %(image_url)b::text[], %(attributes)b::text[]::jsonb[],
                    %(published_at)b::timestamptz[], %(kind)b::text[])
             WITH ORDINALITY AS g (item_id, name, category, brand, price_minor, currency, available, stock, url,
                                   image_url, attributes, published_at, kind, number)
             LEFT JOIN item i USING (item_id)
        ON CONFLICT (item_id) DO UPDATE SET
            name = excluded.name, category = excluded.category, brand = excluded.brand,
            price_minor = excluded.price_minor, currency = excluded.currency, available = excluded.available,
            stock = excluded.stock, url = excluded.url, image_url = excluded.image_url,
            attributes = excluded.attributes, published_at = excluded.published_at, version = excluded.version,
            kind = excluded.kind, updated_at = now()
        """,
        {**columns, "first_key": first_key, "version": version},
    )
    if created:
        _link_waiting_lines(tx, version)


def put_availability(tx: Transaction, item_id: str, available: bool, stock: int | None) -> None:
    """Say whether one item can be bought, as a new version of the catalogue."""
    version = log.reserve(tx, "catalogue", 1)
    tx.execute(
        """
        UPDATE item SET available = %(available)s, stock = %(stock)s, version = %(version)s, updated_at = now()
        WHERE item_id = %(item_id)s
        """,
        {"item_id": item_id, "available": available, "stock": stock, "version": version},
    )


def _link_waiting_lines(tx: Transaction, version: int) -> None:
    tx.execute(
        """
        UPDATE interaction SET item_key = item.item_key, product_id = NULL
        FROM item
        WHERE item.version = %(version)s AND interaction.product_id = item.item_id
        """,
        {"version": version},
    )


def _as_columns(items: Sequence[Item]) -> dict[str, list[Any]]:
    plain = ("item_id", "name", "brand", "price_minor", "currency", "available", "stock", "url", "image_url", "kind")
    return {
        **{name: [getattr(item, name) for item in items] for name in (*plain, "published_at")},
        "category": [orjson.dumps(item.category).decode() for item in items],
        "attributes": [orjson.dumps(item.attributes).decode() for item in items],
    }


def item(tx: Transaction, item_id: str) -> Row | None:
    """One item, or None."""
    return tx.one(
        """
        SELECT item_id, kind, name, category, brand, price_minor, currency, available, stock, url, image_url,
               attributes, published_at, updated_at
        FROM item WHERE item_id = %(item_id)s
        """,
        {"item_id": item_id},
    )


def of_ids(tx: Transaction, item_ids: Sequence[str]) -> dict[str, Row]:
    """What the shop said of these items, by id; those there are not are left out."""
    rows = tx.all(
        """
        SELECT item_id, kind, name, category, brand, price_minor, currency, available, stock, url, image_url,
               attributes, published_at
        FROM item WHERE item_id = ANY(%(item_ids)s) ORDER BY item_id
        """,
        {"item_ids": list(item_ids)},
    )
    return {row["item_id"]: row for row in rows}


def items_page(tx: Transaction, after: str, q: str | None, category: str | None, limit: int) -> list[Row]:
    """Items in the order of their ids, after the id `after`; `q` is looked for in name, brand and id."""
    return tx.all(
        """
        SELECT item_id, kind, name, category, brand, price_minor, currency, available, stock, url, image_url,
               attributes, published_at, updated_at
        FROM item
        WHERE item_id > %(after)s
          AND (%(category)s::text IS NULL OR category @> ARRAY[%(category)s::text])
          AND (%(q)s::text IS NULL OR strpos(lower(concat_ws(' ', name, brand, item_id)), lower(%(q)s)) > 0)
        ORDER BY item_id LIMIT %(limit)s
        """,
        {"after": after, "q": q, "category": category, "limit": limit},
    )


def version(tx: Transaction) -> int:
    """The version of the catalogue: it grows with every change."""
    return log.head(tx, "catalogue")


def changes_since(tx: Transaction, version: int) -> Iterator[Row]:
    """The items changed after `version`, as the serving processes hold them, by their keys."""
    return tx.stream(
        """
        SELECT item_key, item_id, name, category, brand, price_minor, currency,
               available AND coalesce(stock > 0, true) AS on_sale, available, stock, url, image_url,
               attributes, published_at, created_at, version, kind
        FROM item WHERE version > %(version)s ORDER BY item_key
        """,
        {"version": version},
    )


def count(tx: Transaction) -> int:
    """How many keys were given out: the number of items, and the length of every item array."""
    return log.head(tx, "item_key")
