"""Customers as derived from their identities: when seen, what is known, and finding them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from shared.database import Row, Transaction


def sources(tx: Transaction, customer_ids: Iterable[UUID]) -> list[Row]:
    """What customers are derived from: one row per identity, with its traits; by customer, oldest first."""
    return tx.all(
        """
        SELECT i.customer_id, i.identity_id, i.kind, i.lookup, i.sealed, i.vouched, t.traits,
               EXISTS (SELECT FROM identity_link l WHERE l.replaces = i.identity_id AND l.live) AS replaced
        FROM identity i LEFT JOIN identity_trait t USING (identity_id)
        WHERE i.customer_id = ANY(%(ids)s::uuid[])
        ORDER BY i.customer_id, i.identity_id
        """,
        {"ids": list(customer_ids)},
    )


def names(tx: Transaction, customer_ids: Iterable[UUID]) -> dict[UUID, str | None]:
    """The sealed names of customers as they are kept now."""
    rows = tx.all(
        "SELECT customer_id, name FROM customer WHERE customer_id = ANY(%(ids)s::uuid[])", {"ids": list(customer_ids)}
    )
    return {row["customer_id"]: row["name"] for row in rows}


def keep(tx: Transaction, customers: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Write derived customers: customer_id and every column of `customer` but updated_at."""
    tx.execute(
        """
        INSERT INTO customer (
            customer_id, identified, user_id, email, phone, name, locale, time_zone, country, city, traits, updated_at
        )
        SELECT customer_id, identified, user_id, email, phone, name, locale, time_zone, country, city, traits, %(now)s
        FROM jsonb_to_recordset(%(customers)s::jsonb) AS derived (
            customer_id uuid, identified boolean, user_id text, email text, phone text, name text, locale text,
            time_zone text, country text, city text, traits jsonb
        )
        ON CONFLICT (customer_id) DO UPDATE SET
            identified = excluded.identified, user_id = excluded.user_id, email = excluded.email,
            phone = excluded.phone, name = excluded.name, locale = excluded.locale, time_zone = excluded.time_zone,
            country = excluded.country, city = excluded.city, traits = excluded.traits,
            updated_at = excluded.updated_at
        """,
        {"customers": msgspec.json.encode(customers).decode(), "now": now},
    )


def forget(tx: Transaction, customer_ids: Iterable[UUID]) -> None:
    """Remove what was derived for ids that are no customers any more."""
    ids = {"ids": list(customer_ids)}
    tx.execute("DELETE FROM customer WHERE customer_id = ANY(%(ids)s::uuid[])", ids)
    tx.execute("DELETE FROM customer_seen WHERE customer_id = ANY(%(ids)s::uuid[])", ids)
    tx.execute("DELETE FROM customer_name_token WHERE customer_id = ANY(%(ids)s::uuid[])", ids)


def join_seen(tx: Transaction, merged: Mapping[UUID, UUID]) -> None:
    """Give the customers on the right the first and last seen of those on the left as well."""
    tx.execute(
        """
        INSERT INTO customer_seen (customer_id, first_seen_at, last_seen_at)
        SELECT m.into_id, min(s.first_seen_at), max(s.last_seen_at)
        FROM unnest(%(from)s::uuid[], %(into)s::uuid[]) AS m (from_id, into_id)
        JOIN customer_seen s ON s.customer_id = m.from_id
        GROUP BY m.into_id
        ON CONFLICT (customer_id) DO UPDATE SET
            first_seen_at = least(customer_seen.first_seen_at, excluded.first_seen_at),
            last_seen_at = greatest(customer_seen.last_seen_at, excluded.last_seen_at)
        """,
        {"from": list(merged), "into": list(merged.values())},
    )


def recount_seen(tx: Transaction, customer_ids: Iterable[UUID]) -> None:
    """First and last seen from the log itself, for customers that were split. One without events is not seen."""
    ids = {"ids": list(customer_ids)}
    tx.execute("DELETE FROM customer_seen WHERE customer_id = ANY(%(ids)s::uuid[])", ids)
    tx.execute(
        """
        INSERT INTO customer_seen (customer_id, first_seen_at, last_seen_at)
        SELECT i.customer_id, min(s.at), max(s.at)
        FROM identity i CROSS JOIN LATERAL (
            SELECT e.occurred_at AS at FROM event_log e WHERE e.identity_id = i.identity_id
            UNION ALL
            -- Its first events may be among those that are no longer kept.
            SELECT i.created_at WHERE i.created_at < (
                SELECT received_at + interval '1 hour' FROM event_log WHERE (SELECT min(position) FROM event_log) > 1
                ORDER BY position LIMIT 1
            )
        ) s
        WHERE i.customer_id = ANY(%(ids)s::uuid[])
        GROUP BY i.customer_id
        """,
        ids,
    )


def name_tokens(tx: Transaction, tokens: Mapping[UUID, Sequence[str]]) -> None:
    """Replace the search tokens (keyed hashes) of customers."""
    tx.execute("DELETE FROM customer_name_token WHERE customer_id = ANY(%(ids)s::uuid[])", {"ids": list(tokens)})
    pairs = [(customer_id, token) for customer_id, found in tokens.items() for token in found]
    tx.execute(
        """
        INSERT INTO customer_name_token (customer_id, token)
        SELECT customer_id, token FROM unnest(%(ids)s::uuid[], %(tokens)s::text[]) AS new (customer_id, token)
        ON CONFLICT DO NOTHING
        """,
        {"ids": [customer_id for customer_id, _ in pairs], "tokens": [token for _, token in pairs]},
    )


def get(tx: Transaction, customer_id: UUID) -> Row | None:
    """One customer as published."""
    return tx.one("SELECT * FROM profile_out.customers_v1 WHERE customer_id = %(id)s", {"id": customer_id})


def of_ids(tx: Transaction, customer_ids: Iterable[UUID]) -> list[Row]:
    """Customers by id, as published; ids from before a merge find the customer of today. Each once."""
    return tx.all(
        """
        SELECT * FROM profile_out.customers_v1 WHERE customer_id = ANY(ARRAY(
            SELECT customer_id FROM identity WHERE identity_id = ANY(%(ids)s::uuid[])
        ))
        """,
        {"ids": list(customer_ids)},
    )


def newest_seen(tx: Transaction, before: tuple[datetime, UUID] | None, limit: int) -> list[Row]:
    """Customers, newest seen first, from (last_seen_at, customer_id) `before` on.

    The index knows only the five minutes of each (`listed_at`); within these they are sorted as they are read.
    """
    seen_at, customer_id = before or (None, None)
    return tx.all(
        """
        SELECT c.* FROM (
            SELECT customer_id, last_seen_at FROM customer_seen
            WHERE %(seen_at)s::timestamptz IS NULL
               OR (listed_at <= %(seen_at)s AND (last_seen_at, customer_id) < (%(seen_at)s, %(customer_id)s::uuid))
            ORDER BY listed_at DESC, last_seen_at DESC, customer_id DESC
            LIMIT %(limit)s
        ) AS page
        JOIN profile_out.customers_v1 c USING (customer_id)
        ORDER BY page.last_seen_at DESC, page.customer_id DESC
        """,
        {"seen_at": seen_at, "customer_id": customer_id, "limit": limit},
    )


def by_name(tx: Transaction, tokens: Sequence[str], after: UUID | None, limit: int) -> list[Row]:
    """Customers whose name has all of these tokens, by id."""
    return tx.all(
        """
        SELECT c.* FROM profile_out.customers_v1 c JOIN (
            SELECT customer_id FROM customer_name_token WHERE token = ANY(%(tokens)s::text[])
            GROUP BY customer_id HAVING count(*) = %(count)s
        ) AS named USING (customer_id)
        WHERE %(after)s::uuid IS NULL OR c.customer_id > %(after)s
        ORDER BY c.customer_id
        LIMIT %(limit)s
        """,
        {"tokens": list(tokens), "count": len(tokens), "after": after, "limit": limit},
    )
