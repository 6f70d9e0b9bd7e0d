"""Lists of customers, which rules can speak of."""

from collections.abc import Collection
from uuid import UUID

from shared.database import Transaction


def add(tx: Transaction, list_id: UUID, customers: Collection[UUID]) -> None:
    """Write down a list; who has been merged since is on it under whom they are now."""
    tx.execute(
        """
        INSERT INTO listed (list_id, identity_id, customer_id)
        SELECT %(list_id)s, given.id, coalesce(m.customer_id, given.id)
        FROM (SELECT DISTINCT unnest(%(customers)b::uuid[]) AS id) AS given
        LEFT JOIN profile_out.identity_map_v1 AS m ON m.identity_id = given.id
        """,
        {"list_id": list_id, "customers": list(customers)},
    )


def unknown(tx: Transaction, lists: Collection[UUID]) -> set[UUID]:
    """Those of these lists that there are not."""
    rows = tx.all(
        """
        SELECT given.id FROM unnest(%(lists)b::uuid[]) AS given (id)
        WHERE NOT EXISTS (SELECT FROM listed WHERE list_id = given.id)
        """,
        {"lists": list(lists)},
    )
    return {row["id"] for row in rows}
