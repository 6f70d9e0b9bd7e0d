"""Identities, and which customer each belongs to."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.database import Row, Transaction


def unknown(tx: Transaction) -> list[Row]:
    """Identifiers of this round that have no identity yet: rows of kind, lookup, sealed, vouched.

    In the order of arrival, so that the first named gets the smallest id.
    """
    return tx.all(
        """
        WITH mention AS (
            SELECT i.own_kind AS kind, i.own_lookup AS lookup, i.own_sealed AS sealed, a.trusted, a.id
            FROM arriving a JOIN LATERAL (
                SELECT own_kind, own_lookup, own_sealed FROM intake WHERE id = a.id OFFSET 0
            ) AS i ON true
            WHERE a.n IS NOT NULL AND a.identity_id IS NULL
            UNION ALL
            SELECT claim ->> 0, claim ->> 1, claim ->> 2, a.trusted, a.id
            FROM arriving a
            JOIN LATERAL (SELECT claims FROM intake WHERE id = a.id OFFSET 0) AS i ON true
            CROSS JOIN LATERAL jsonb_array_elements(i.claims) AS claim
            WHERE a.strange AND claim ->> 0 <> 'previous'
        ), named AS MATERIALIZED (
            SELECT kind, lookup, min(sealed) AS sealed, bool_or(trusted) AS vouched, min(id) AS id
            FROM mention GROUP BY kind, lookup
        )
        SELECT n.kind, n.lookup, n.sealed, n.vouched
        FROM named n
        WHERE (SELECT i.identity_id FROM identity i WHERE i.kind = n.kind AND i.lookup = n.lookup) IS NULL
        ORDER BY n.id, n.kind DESC
        """
    )


def unvouched(tx: Transaction) -> list[UUID]:
    """Identities that a server names for the first time in this round."""
    rows = tx.all(
        """
        SELECT identity_id FROM arriving WHERE n IS NOT NULL AND trusted AND NOT vouched
        UNION
        SELECT known.identity_id
        FROM arriving a
        JOIN LATERAL (SELECT claims FROM intake WHERE id = a.id OFFSET 0) AS i ON true
        CROSS JOIN LATERAL jsonb_array_elements(i.claims) AS claim
        JOIN LATERAL (
            SELECT identity_id, vouched FROM identity WHERE kind = claim ->> 0 AND lookup = claim ->> 1 OFFSET 0
        ) AS known ON NOT known.vouched
        WHERE a.unproven
        """
    )
    return [row["identity_id"] for row in rows]


def unknown_previous(tx: Transaction) -> list[Row]:
    """Ids that aliases of this round replace and that nobody has used yet: rows of lookup, trusted."""
    return tx.all(
        """
        SELECT claim ->> 1 AS lookup, bool_or(a.trusted) AS trusted
        FROM arriving a
        JOIN LATERAL (SELECT claims FROM intake WHERE id = a.id OFFSET 0) AS i ON true
        CROSS JOIN LATERAL jsonb_array_elements(i.claims) AS claim
        WHERE a.strange AND claim ->> 0 = 'previous' AND NOT EXISTS (
            SELECT FROM identity WHERE kind IN ('user_id', 'anonymous_id') AND lookup = claim ->> 1
        )
        GROUP BY 1
        ORDER BY min(a.id)
        """
    )


def add(tx: Transaction, identities: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """New identities, each a customer of its own: identity_id, kind, lookup, sealed, vouched. Known ones are left."""
    tx.execute(
        """
        INSERT INTO identity (identity_id, kind, lookup, sealed, customer_id, vouched, created_at)
        SELECT identity_id, kind, lookup, sealed, identity_id, vouched, %(now)s
        FROM unnest(%(ids)s::uuid[], %(kinds)s::text[], %(lookups)s::text[], %(sealed)s::text[], %(vouched)s::boolean[])
            AS new (identity_id, kind, lookup, sealed, vouched)
        ON CONFLICT (kind, lookup) DO NOTHING
        """,
        {
            "ids": [identity["identity_id"] for identity in identities],
            "kinds": [identity["kind"] for identity in identities],
            "lookups": [identity["lookup"] for identity in identities],
            "sealed": [identity["sealed"] for identity in identities],
            "vouched": [identity["vouched"] for identity in identities],
            "now": now,
        },
    )


def vouch(tx: Transaction, identity_ids: Sequence[UUID]) -> None:
    """Note that a server has named these."""
    tx.execute(
        "UPDATE identity SET vouched = true WHERE identity_id = ANY(%(ids)s::uuid[])", {"ids": list(identity_ids)}
    )


def of_ids(tx: Transaction, identity_ids: Iterable[UUID]) -> list[Row]:
    """Identities by id: identity_id, kind, customer_id, vouched."""
    return tx.all(
        "SELECT identity_id, kind, customer_id, vouched FROM identity WHERE identity_id = ANY(%(ids)s::uuid[])",
        {"ids": list(identity_ids)},
    )


def of_customers(tx: Transaction, customer_ids: Iterable[UUID]) -> list[Row]:
    """All identities of these customers, in the order they were made."""
    return tx.all(
        """
        SELECT identity_id, kind, lookup, sealed, customer_id, vouched, created_at
        FROM identity WHERE customer_id = ANY(%(ids)s::uuid[]) ORDER BY identity_id
        """,
        {"ids": list(customer_ids)},
    )


def customer_of(tx: Transaction, identity_id: UUID) -> UUID | None:
    """The customer an identity belongs to now; every id of a customer there ever was is one of these."""
    found: UUID | None = tx.value("SELECT customer_id FROM identity WHERE identity_id = %(id)s", {"id": identity_id})
    return found


def find(tx: Transaction, kind: str, lookup: str) -> Row | None:
    """The identity of an identifier: identity_id, customer_id."""
    return tx.one(
        "SELECT identity_id, customer_id FROM identity WHERE kind = %(kind)s AND lookup = %(lookup)s",
        {"kind": kind, "lookup": lookup},
    )


def find_many(tx: Transaction, wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Row]:
    """Identities of (kind, lookup) pairs, by pair; those we do not have are missing."""
    rows = tx.all(
        """
        SELECT i.kind, i.lookup, i.identity_id, i.customer_id
        FROM unnest(%(kinds)s::text[], %(lookups)s::text[]) AS wanted (kind, lookup)
        JOIN identity i USING (kind, lookup)
        """,
        {"kinds": [kind for kind, _ in wanted], "lookups": [lookup for _, lookup in wanted]},
    )
    return {(row["kind"], row["lookup"]): row for row in rows}


def assign(tx: Transaction, mapping: Mapping[UUID, UUID]) -> None:
    """Set the customer of identities."""
    tx.execute(
        """
        UPDATE identity i SET customer_id = new.customer_id
        FROM unnest(%(ids)s::uuid[], %(customers)s::uuid[]) AS new (identity_id, customer_id)
        WHERE i.identity_id = new.identity_id
        """,
        {"ids": list(mapping), "customers": list(mapping.values())},
    )
