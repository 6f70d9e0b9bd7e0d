"""What came of messages, and the way of that into profile's log."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from shared.database import Row, Transaction

# One reader reloading a page for ever fills no table.
MOST_OF_A_KIND = 50
LEASE_S = 60


def add(tx: Transaction, outcomes: Sequence[Mapping[str, Any]]) -> int:
    """Record outcomes (outcome_id, send_id, kind, occurred_at, message_id); one message id takes effect once."""
    if not outcomes:
        return 0
    return tx.execute(
        """
        INSERT INTO outcome (outcome_id, send_id, kind, occurred_at, message_id)
        SELECT * FROM unnest(%(outcome_ids)s::uuid[], %(send_ids)s::uuid[], %(kinds)s::text[],
                             %(occurred_ats)s::timestamptz[], %(message_ids)s::text[])
        ON CONFLICT (message_id) DO NOTHING
        """,
        {
            "outcome_ids": [o["outcome_id"] for o in outcomes],
            "send_ids": [o["send_id"] for o in outcomes],
            "kinds": [o["kind"] for o in outcomes],
            "occurred_ats": [o["occurred_at"] for o in outcomes],
            "message_ids": [o["message_id"] for o in outcomes],
        },
    ).rowcount


def add_reaction(tx: Transaction, reaction: Mapping[str, Any]) -> bool:
    """Record an open, a click or an unsubscription with what is known of the reader; False when it was one too many."""
    return bool(
        tx.execute(
            """
            INSERT INTO outcome
                (outcome_id, send_id, kind, occurred_at, user_agent, link_number, link_url, recommendation_id, item_id,
                 place, bot, message_id)
            SELECT %(outcome_id)s, %(send_id)s, %(kind)s, %(occurred_at)s, %(user_agent)s, %(link_number)s,
                   %(link_url)s, %(recommendation_id)s, %(item_id)s, %(place)s, %(bot)s, %(message_id)s
            WHERE (SELECT count(*) FROM outcome WHERE send_id = %(send_id)s AND kind = %(kind)s) < %(most)s
            ON CONFLICT (message_id) DO NOTHING
            """,
            {**reaction, "most": MOST_OF_A_KIND},
        ).rowcount
    )


def claim_unpublished(tx: Transaction, limit: int) -> list[Row]:
    """Outcomes that profile has not been told, for LEASE_S seconds ours to tell.

    `shown`: what a slot filled the message with (its answer's id, the items), where this is the first sign that a
    person saw it.
    """
    return tx.all(
        """
        WITH next AS (
            SELECT outcome_id FROM outcome
            WHERE published_at IS NULL AND bot IS NULL AND (lease_until IS NULL OR lease_until < now())
            ORDER BY outcome_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        )
        UPDATE outcome o SET lease_until = now() + make_interval(secs => %(lease_s)s)
        FROM next, send s, run r, campaign c
        WHERE o.outcome_id = next.outcome_id AND s.send_id = o.send_id AND r.run_id = s.run_id
          AND c.campaign_id = r.campaign_id
        RETURNING o.outcome_id, o.send_id, o.kind, o.occurred_at, o.user_agent, o.link_number, o.link_url, o.message_id,
                  o.recommendation_id, o.item_id, o.place, s.identity_id, r.campaign_id, r.channel, r.subject,
                  r.recommend_slot, c.name AS campaign_name,
                  CASE WHEN s.recommendation_id IS NOT NULL AND o.kind IN ('opened', 'clicked') AND NOT EXISTS (
                      SELECT FROM outcome e WHERE e.send_id = o.send_id AND e.kind IN ('opened', 'clicked')
                        AND e.bot IS NULL AND e.outcome_id < o.outcome_id)
                  THEN jsonb_build_object('recommendation_id', s.recommendation_id, 'items',
                      jsonb_path_query_array(s.items, '$[*].item_id')) END AS shown
        """,
        {"limit": limit, "lease_s": LEASE_S},
    )


def mark_published(tx: Transaction, outcome_ids: Sequence[UUID]) -> None:
    """Profile has them."""
    tx.execute(
        "UPDATE outcome SET published_at = now(), lease_until = NULL WHERE outcome_id = ANY(%(outcome_ids)s)",
        {"outcome_ids": list(outcome_ids)},
    )


def release(tx: Transaction, outcome_ids: Sequence[UUID]) -> None:
    """Profile did not answer: to be told again at the next look."""
    tx.execute(
        "UPDATE outcome SET lease_until = NULL WHERE outcome_id = ANY(%(outcome_ids)s)",
        {"outcome_ids": list(outcome_ids)},
    )


def unpublished(tx: Transaction) -> int:
    """How many outcomes profile has still to hear of."""
    found: int = tx.value("SELECT count(*) FROM outcome WHERE published_at IS NULL AND bot IS NULL")
    return found
