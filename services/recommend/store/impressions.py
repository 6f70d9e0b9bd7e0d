"""What was shown and clicked: written from the log, counted by item and day."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.impressions import Impression
from shared.database import Transaction


@dataclass(frozen=True)
class Context:
    """Where an answer comes from. Empty texts: no experiment."""

    slot: str
    strategy: str
    experiment_id: str = ""
    variant: str = ""


def item_keys(tx: Transaction, item_ids: Collection[str]) -> dict[str, int]:
    """The keys of those of these items that the catalogue has."""
    rows = tx.all("SELECT item_id, item_key FROM item WHERE item_id = ANY(%(ids)b::text[])", {"ids": list(item_ids)})
    return {row["item_id"]: row["item_key"] for row in rows}


def contexts(tx: Transaction, numbers: Collection[int]) -> dict[int, Context]:
    """The contexts of these numbers, as far as there are."""
    rows = tx.all(
        "SELECT number, slot, strategy, experiment_id, variant FROM served_context WHERE number = ANY(%(numbers)s)",
        {"numbers": list(numbers)},
    )
    return {row.pop("number"): Context(**row) for row in rows}


def add(
    tx: Transaction, seen: Sequence[Impression], context: Sequence[int | None], keys: Sequence[Sequence[int]]
) -> None:
    """Write impressions, each with the number of its context and the keys of its items."""
    tx.copy(
        "impression",
        (
            *("position", "kind", "recommendation_id", "context", "slot", "identity_id", "customer_id"),
            *("item_keys", "place", "occurred_at"),
        ),
        (
            (
                one.position,
                one.kind.value,
                one.recommendation_id,
                number,
                one.slot,
                one.identity_id,
                one.customer_id,
                list(items),
                one.place,
                one.occurred_at,
            )
            for one, number, items in zip(seen, context, keys, strict=True)
        ),
        ("int8", "int2", "uuid", "int4", "text", "uuid", "uuid", "int4[]", "int2", "timestamptz"),
    )


def count_items(tx: Transaction, counts: Sequence[tuple[int, date, int, int]]) -> None:
    """Add to how often (item key, day) was shown, and clicked. Each pair once, in their order."""
    tx.execute(
        """
        INSERT INTO item_shown (item_key, day, shown, clicked)
        SELECT * FROM unnest(%(keys)b::int[], %(days)b::date[], %(shown)b::int[], %(clicked)b::int[])
        ON CONFLICT (item_key, day) DO UPDATE SET
            shown = item_shown.shown + excluded.shown, clicked = item_shown.clicked + excluded.clicked
        """,
        {
            "keys": [row[0] for row in counts],
            "days": [row[1] for row in counts],
            "shown": [row[2] for row in counts],
            "clicked": [row[3] for row in counts],
        },
    )


def shown_since(tx: Transaction, since: datetime, size: int) -> NDArray[np.int64]:
    """How often each item (by key, `size` of them) has been shown since that day."""
    rows = tx.all(
        "SELECT item_key, sum(shown) AS shown FROM item_shown WHERE day >= %(since)s::date GROUP BY item_key",
        {"since": since},
    )
    counts = np.zeros(size, dtype=np.int64)
    for row in rows:
        if row["item_key"] < size:
            counts[row["item_key"]] = row["shown"]
    return counts


def assign(tx: Transaction, assigned: Sequence[tuple[str, UUID, UUID | None, str, datetime]]) -> None:
    """Remember which variant of an experiment an identity was first seen with: the earliest stays."""
    tx.execute(
        """
        INSERT INTO assignment (experiment_id, identity_id, customer_id, variant, at)
        SELECT DISTINCT ON (e, i) e, i, c, v, t
        FROM unnest(%(e)b::text[], %(i)b::uuid[], %(c)b::uuid[], %(v)b::text[], %(t)b::timestamptz[])
             AS new (e, i, c, v, t)
        ORDER BY e, i, t
        ON CONFLICT (experiment_id, identity_id) DO UPDATE SET variant = excluded.variant, at = excluded.at
        WHERE excluded.at < assignment.at
        """,
        {name: [row[place] for row in assigned] for place, name in enumerate("eicvt")},
    )


def rederive_customers(tx: Transaction, identities: Collection[UUID]) -> None:
    """Give what these identities saw to the customers they belong to now (after a merge or a split)."""
    tx.execute(
        """
        UPDATE impression SET customer_id = m.customer_id
        FROM profile_out.identity_map_v1 m
        WHERE m.identity_id = ANY(%(identities)b::uuid[]) AND impression.identity_id = m.identity_id
          AND impression.customer_id IS DISTINCT FROM m.customer_id
        """,
        {"identities": list(identities)},
    )
    tx.execute(
        """
        UPDATE assignment SET customer_id = m.customer_id
        FROM profile_out.identity_map_v1 m
        WHERE m.identity_id = ANY(%(identities)b::uuid[]) AND assignment.identity_id = m.identity_id
          AND assignment.customer_id IS DISTINCT FROM m.customer_id
        """,
        {"identities": list(identities)},
    )


def forget(tx: Transaction, before: datetime, limit: int) -> int:
    """Delete at most `limit` impressions, and as many of what goes with them, from before an instant."""
    gone = tx.execute(
        """
        DELETE FROM impression WHERE position IN (
            SELECT position FROM impression WHERE occurred_at < %(before)s LIMIT %(limit)s)
        """,
        {"before": before, "limit": limit},
    ).rowcount
    tx.execute(
        """
        DELETE FROM explored WHERE (recommendation_id, item_key) IN (
            SELECT recommendation_id, item_key FROM explored WHERE at < %(before)s LIMIT %(limit)s)
        """,
        {"before": before, "limit": limit},
    )
    tx.execute(
        """
        DELETE FROM item_shown WHERE (item_key, day) IN (
            SELECT item_key, day FROM item_shown WHERE day < %(before)s::date LIMIT %(limit)s)
        """,
        {"before": before, "limit": limit},
    )
    tx.execute(
        """
        DELETE FROM assignment WHERE (experiment_id, identity_id) IN (
            SELECT a.experiment_id, a.identity_id FROM assignment a JOIN experiment e USING (experiment_id)
            WHERE e.ended_at < %(before)s LIMIT %(limit)s)
        """,
        {"before": before, "limit": limit},
    )
    return gone
