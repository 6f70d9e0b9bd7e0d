"""Letting go of what is only kept for a while, a bounded number of rows at a time."""

from datetime import datetime

from shared.database import Transaction


def forget_events(tx: Transaction, before: datetime, limit: int) -> int:
    """Delete at most `limit` events that happened before an instant; those of orders stay with them."""
    return tx.execute(
        """
        DELETE FROM event_fact WHERE position = ANY(ARRAY(
            SELECT e.position FROM event_fact AS e
            WHERE e.occurred_at < %(before)s AND NOT EXISTS (SELECT FROM purchase AS p WHERE p.position = e.position)
            LIMIT %(limit)s
        ))
        """,
        {"before": before, "limit": limit},
    ).rowcount


def forget_changes(tx: Transaction, before: datetime, limit: int) -> int:
    """Delete at most `limit` entries of the membership log from before an instant, never the newest one."""
    return tx.execute(
        """
        DELETE FROM membership_log WHERE position = ANY(ARRAY(
            SELECT position FROM membership_log
            WHERE at < %(before)s AND position < (SELECT max(position) FROM membership_log)
            ORDER BY position LIMIT %(limit)s
        ))
        """,
        {"before": before, "limit": limit},
    ).rowcount


def forget_jobs(tx: Transaction, before: datetime, limit: int) -> int:
    """Delete at most `limit` ended computations from before an instant."""
    return tx.execute(
        """
        DELETE FROM recompute_job WHERE job_id IN (
            SELECT job_id FROM recompute_job
            WHERE state IN ('done', 'failed') AND requested_at < %(before)s ORDER BY requested_at LIMIT %(limit)s
        )
        """,
        {"before": before, "limit": limit},
    ).rowcount


def forget_bases(tx: Transaction, before: datetime, limit: int) -> int:
    """Delete at most `limit` old score bases that no customer's scores were given against."""
    return tx.execute(
        """
        DELETE FROM score_basis WHERE basis_id IN (
            SELECT b.basis_id FROM score_basis AS b
            WHERE b.created_at < %(before)s AND b.created_at < (SELECT max(created_at) FROM score_basis)
              AND NOT EXISTS (SELECT FROM customer_score AS s WHERE s.basis_id = b.basis_id)
            ORDER BY b.created_at LIMIT %(limit)s
        )
        """,
        {"before": before, "limit": limit},
    ).rowcount
