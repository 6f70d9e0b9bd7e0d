"""Letting go of what is only kept for a while, a bounded number of rows at a time."""

from collections.abc import Collection
from datetime import datetime

from shared.database import Transaction


def forget_interactions(tx: Transaction, before: datetime, kept_kinds: Collection[int], limit: int) -> int:
    """Delete at most `limit` interactions that happened before an instant and are of none of the `kept_kinds`."""
    return tx.execute(
        """
        DELETE FROM interaction AS i USING (
            SELECT position, line FROM interaction
            WHERE occurred_at < %(before)s AND kind <> ALL(%(kept)s::smallint[]) LIMIT %(limit)s
        ) AS old
        WHERE i.position = old.position AND i.line = old.line
        """,
        {"before": before, "kept": sorted(kept_kinds), "limit": limit},
    ).rowcount


def forget_models(tx: Transaction, before: datetime, limit: int) -> int:
    """Delete at most `limit` entries of the registry whose files are gone, from before an instant."""
    return tx.execute(
        """
        DELETE FROM model WHERE version IN (
            SELECT version FROM model
            WHERE path IS NULL AND published_at < %(before)s ORDER BY published_at LIMIT %(limit)s
        )
        """,
        {"before": before, "limit": limit},
    ).rowcount
