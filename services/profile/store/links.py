"""Links between identities: what was claimed, by whom, and whether it joins them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from shared.database import Row, Transaction


def claimed(tx: Transaction) -> list[Row]:
    """Pairs of identities that this round claims are one person and on which nothing is decided yet.

    Also pairs that an alias joins again, and such as only a public key had claimed and a server now does. Rows of own,
    other, trusted, alias, message_id, key_id, source, received_at, in the order of arrival.
    """
    return tx.all(
        """
        WITH pair AS MATERIALIZED (
            SELECT DISTINCT ON (a.identity_id, other.identity_id, a.trusted)
                   a.identity_id AS own, other.identity_id AS other, a.trusted,
                   a.type = 'alias' AND claim ->> 0 <> 'anonymous_id' AS alias, i.message_id, i.key_id, i.source,
                   i.received_at, a.n
            FROM arriving a
            JOIN LATERAL (
                SELECT claims, message_id, key_id, source, received_at FROM intake WHERE id = a.id OFFSET 0
            ) AS i ON true
            CROSS JOIN LATERAL jsonb_array_elements(i.claims) AS claim
            JOIN LATERAL (
                SELECT identity_id FROM identity
                WHERE lookup = claim ->> 1 AND kind = ANY(
                    CASE claim ->> 0 WHEN 'previous' THEN '{user_id,anonymous_id}' ELSE ARRAY[claim ->> 0] END
                )
                OFFSET 0
            ) AS other ON other.identity_id <> a.identity_id
            WHERE a.undecided
            ORDER BY a.identity_id, other.identity_id, a.trusted, alias DESC, a.n
        )
        SELECT p.*
        FROM pair p
        LEFT JOIN LATERAL (
            SELECT link_id, live, trusted, undone_at FROM identity_link
            WHERE a = least(p.own, p.other) AND b = greatest(p.own, p.other) OFFSET 0
        ) AS l ON true
        WHERE l.link_id IS NULL
           OR (p.trusted AND p.alias AND NOT l.live)
           OR (p.trusted AND NOT l.trusted AND l.undone_at IS NULL)
        ORDER BY p.n
        """
    )


def live_of(tx: Transaction, identity_ids: Iterable[UUID]) -> list[Row]:
    """Live links at these identities: identity_id (the one asked for), partner, partner_kind, trusted."""
    return tx.all(
        """
        SELECT ends.identity_id, ends.partner, i.kind AS partner_kind, ends.trusted
        FROM (
            SELECT a AS identity_id, b AS partner, trusted FROM identity_link WHERE live AND a = ANY(%(ids)s::uuid[])
            UNION ALL
            SELECT b, a, trusted FROM identity_link WHERE live AND b = ANY(%(ids)s::uuid[])
        ) AS ends
        JOIN identity i ON i.identity_id = ends.partner
        """,
        {"ids": list(identity_ids)},
    )


def of_customers(tx: Transaction, customer_ids: Iterable[UUID]) -> list[tuple[UUID, UUID]]:
    """Live links among the identities of these customers."""
    rows = tx.all(
        """
        SELECT l.a, l.b FROM identity_link l JOIN identity i ON i.identity_id = l.a
        WHERE l.live AND i.customer_id = ANY(%(ids)s::uuid[])
        """,
        {"ids": list(customer_ids)},
    )
    return [(row["a"], row["b"]) for row in rows]


_DECIDED: Final = (
    *("link_id", "a", "b", "evidence", "alias", "replaces"),
    *("trusted", "made_by", "source", "made_at", "refused"),
)


def decide(tx: Transaction, links: Sequence[dict[str, Any]]) -> None:
    """Keep what was decided on claimed pairs (`refused` None: they are joined). A later decision replaces one."""
    last = {(link["a"], link["b"]): link for link in links}
    tx.execute(
        """
        INSERT INTO identity_link (
            link_id, a, b, evidence, alias, replaces, trusted, made_by, source, made_at, refused
        )
        SELECT * FROM unnest(
            %(link_id)s::uuid[], %(a)s::uuid[], %(b)s::uuid[], %(evidence)s::text[], %(alias)s::boolean[],
            %(replaces)s::uuid[], %(trusted)s::boolean[], %(made_by)s::uuid[], %(source)s::text[],
            %(made_at)s::timestamptz[], %(refused)s::text[])
        ON CONFLICT (a, b) DO UPDATE SET
            evidence = excluded.evidence, alias = excluded.alias, replaces = excluded.replaces,
            trusted = excluded.trusted, made_by = excluded.made_by, source = excluded.source,
            made_at = excluded.made_at,
            refused = excluded.refused, undone_at = NULL, undone_by = NULL
        """,
        {name: [link[name] for link in last.values()] for name in _DECIDED},
    )


def refuse(tx: Transaction, pairs: Sequence[tuple[UUID, UUID]], reason: str) -> None:
    """End the joining of pairs (a < b) for a reason."""
    tx.execute(
        """
        UPDATE identity_link AS l SET refused = %(reason)s
        FROM unnest(%(a)s::uuid[], %(b)s::uuid[]) AS pair (a, b)
        WHERE l.a = pair.a AND l.b = pair.b
        """,
        {"a": [a for a, _ in pairs], "b": [b for _, b in pairs], "reason": reason},
    )


def unproven_at(tx: Transaction, identity_ids: Iterable[UUID]) -> list[tuple[UUID, UUID]]:
    """Live links at these identities that only a public key has claimed."""
    rows = tx.all(
        """
        SELECT a, b FROM identity_link
        WHERE live AND NOT trusted AND (a = ANY(%(ids)s::uuid[]) OR b = ANY(%(ids)s::uuid[]))
        """,
        {"ids": list(identity_ids)},
    )
    return [(row["a"], row["b"]) for row in rows]


def get(tx: Transaction, link_id: UUID) -> Row | None:
    """One link, locked."""
    return tx.one("SELECT * FROM identity_link WHERE link_id = %(id)s FOR UPDATE", {"id": link_id})


def undo(tx: Transaction, link_id: UUID, at: datetime, by: str) -> None:
    """Note that a person has taken a link apart; its pair is joined again only by an alias."""
    tx.execute(
        "UPDATE identity_link SET undone_at = %(at)s, undone_by = %(by)s WHERE link_id = %(id)s",
        {"id": link_id, "at": at, "by": by},
    )


def history(tx: Transaction, customer_id: UUID | None, before: UUID | None, limit: int) -> list[Row]:
    """Links, newest first: all, or those at the identities of one customer (undone ones lead elsewhere too)."""
    return tx.all(
        """
        SELECT l.link_id, l.a, l.b, ia.kind AS a_kind, ib.kind AS b_kind, ia.customer_id AS a_customer_id,
               ib.customer_id AS b_customer_id, l.evidence, l.alias, l.trusted, l.made_by, l.source, l.made_at,
               l.refused, l.undone_at, l.undone_by, l.live
        FROM identity_link l JOIN identity ia ON ia.identity_id = l.a JOIN identity ib ON ib.identity_id = l.b
        WHERE (%(customer_id)s::uuid IS NULL OR %(customer_id)s IN (ia.customer_id, ib.customer_id))
          AND (%(before)s::uuid IS NULL OR l.link_id < %(before)s)
        ORDER BY l.link_id DESC
        LIMIT %(limit)s
        """,
        {"customer_id": customer_id, "before": before, "limit": limit},
    )
