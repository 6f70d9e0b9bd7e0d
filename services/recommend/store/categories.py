"""The categories that the catalogue's items are in."""

from shared.database import Row, Transaction


def counted(tx: Transaction, limit: int) -> list[Row]:
    """Each path of a category that an item has, with how many items there are and how many of them may be shown."""
    return tx.all(
        """
        SELECT category, count(*) AS items,
               count(*) FILTER (WHERE available AND coalesce(stock > 0, true)) AS on_sale
        FROM item GROUP BY category ORDER BY category LIMIT %(limit)s
        """,
        {"limit": limit},
    )
