"""How sending stands: the runs under way, what is due, what failed for good."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from shared.database import Row, Transaction

MOST_COUNTED: Final = 100_000


def open_runs(tx: Transaction) -> list[Row]:
    """The runs that have not ended, each with how many recipients it has and how many have a final state."""
    return tx.all(
        """
        SELECT r.run_id, r.status, r.started_at, c.name, c.problem, n.recipients, n.settled, n.late_seconds
        FROM run r JOIN campaign c USING (campaign_id), LATERAL (
            SELECT count(*) AS recipients,
                   count(*) FILTER (WHERE s.state NOT IN ('pending', 'handing_over')) AS settled,
                   extract(epoch FROM now() - min(s.due_at) FILTER (WHERE s.state = 'pending' AND s.due_at <= now()))
                       AS late_seconds
            FROM send s WHERE s.run_id = r.run_id) n
        WHERE r.status IN ('preparing', 'sending', 'paused')
        ORDER BY r.run_id DESC LIMIT 20
        """
    )


def waiting(tx: Transaction) -> int:
    """How many messages of sending runs are due; counted up to MOST_COUNTED."""
    found: int = tx.value(
        """
        SELECT count(*) FROM (
            SELECT FROM send s JOIN run r USING (run_id)
            WHERE r.status = 'sending' AND s.state = 'pending' AND s.due_at <= now() LIMIT %(most)s) AS due
        """,
        {"most": MOST_COUNTED},
    )
    return found


def failed(tx: Transaction, until: datetime | None = None) -> tuple[int, datetime | None]:
    """How many messages of the last 30 days failed that could go again, and since when the oldest has.

    A mailbox that does not exist is an answer, not a fault: trying it again would only harm the sender's name. What is
    cancelled stays so. `until`: only those that failed by then.
    """
    row = tx.one(
        """
        SELECT count(*) AS n, min(s.settled_at) AS oldest FROM send s JOIN run r USING (run_id)
        WHERE s.state = 'failed' AND s.reason <> 'mailbox_unknown' AND s.settled_at > now() - interval '30 days'
          AND (%(until)s::timestamptz IS NULL OR s.settled_at <= %(until)s) AND r.status <> 'cancelled'
        """,
        {"until": until},
    )
    return (row["n"], row["oldest"]) if row else (0, None)


def failed_sends(tx: Transaction, limit: int) -> list[Row]:
    """Those messages, newest first; no addresses."""
    return tx.all(
        """
        SELECT s.send_id, s.customer_id, s.reason, s.reply, s.attempts, s.settled_at, c.campaign_id,
               c.name AS campaign_name, r.channel
        FROM send s JOIN run r USING (run_id) JOIN campaign c USING (campaign_id)
        WHERE s.state = 'failed' AND s.reason <> 'mailbox_unknown' AND s.settled_at > now() - interval '30 days'
          AND r.status <> 'cancelled'
        ORDER BY s.settled_at DESC, s.send_id LIMIT %(limit)s
        """,
        {"limit": limit},
    )


def send_again(
    tx: Transaction, send_ids: Sequence[UUID] | None, until: datetime, limit: int, expires_hours: int
) -> list[Row]:
    """Make failed messages (None: those that failed by `until`) due now, `limit` of them at most, the oldest first.

    Their runs and campaigns go on sending. An answer to the old attempt that still comes in is not theirs any more.
    """
    return tx.all(
        """
        WITH chosen AS (
            SELECT s.send_id FROM send s JOIN run r USING (run_id)
            WHERE s.state = 'failed' AND s.reason <> 'mailbox_unknown' AND s.settled_at > now() - interval '30 days'
              AND s.settled_at <= %(until)s AND r.status <> 'cancelled'
              AND (%(send_ids)s::uuid[] IS NULL OR s.send_id = ANY(%(send_ids)s))
            ORDER BY s.settled_at, s.send_id LIMIT %(limit)s FOR UPDATE OF s
        ), again AS (
            UPDATE send s SET state = 'pending', reason = 'asked_again', attempts = 0, due_at = now(), hand_over = NULL,
                   lease = NULL, lease_until = NULL, settled_at = NULL
            FROM chosen WHERE s.send_id = chosen.send_id
            RETURNING s.send_id, s.run_id
        ), runs AS (
            UPDATE run r SET status = 'sending', finished_at = NULL,
                   expires_at = greatest(r.expires_at, now() + make_interval(hours => %(hours)s))
            WHERE r.run_id IN (SELECT run_id FROM again) AND r.status = 'sent'
            RETURNING r.campaign_id
        ), campaigns AS (
            UPDATE campaign c SET status = 'sending', version = version + 1, updated_at = now()
            WHERE c.campaign_id IN (SELECT campaign_id FROM runs) AND c.status = 'sent'
        )
        SELECT send_id, run_id FROM again
        """,
        {
            "send_ids": None if send_ids is None else list(send_ids),
            "until": until,
            "limit": limit,
            "hours": expires_hours,
        },
    )
