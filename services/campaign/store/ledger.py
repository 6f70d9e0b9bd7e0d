"""The send ledger: claiming, handing over, settling. Every statement works on a whole batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.types.json import Jsonb

from shared.database import Row, Transaction

# A claim is soon free again when its worker dies; a hand-over has to outlast its provider (channels.BUDGET_S).
CLAIM_S = 25
HAND_OVER_S = 80


@dataclass
class Settlement:
    """What becomes of one row. `tried`: it counts as an attempt."""

    send_id: UUID
    state: str
    reason: str
    due_at: datetime | None = None
    reply: str | None = None
    tried: bool = False


def claim(tx: Transaction, run_id: UUID, lease: UUID, limit: int) -> list[Row]:
    """Take up to `limit` due rows of a run that nobody else works on, for CLAIM_S seconds."""
    return tx.all(
        """
        WITH due AS (
            SELECT send_id FROM send
            WHERE run_id = %(run_id)s AND state = 'pending' AND due_at <= now()
              AND (lease_until IS NULL OR lease_until < now())
            ORDER BY due_at, send_id LIMIT %(limit)s
            FOR UPDATE SKIP LOCKED
        )
        UPDATE send SET lease = %(lease)s, lease_until = now() + make_interval(secs => %(lease_s)s)
        FROM due WHERE send.send_id = due.send_id
        RETURNING send.send_id, send.identity_id, send.customer_id, send.address, send.address_index, send.attempts
        """,
        {"run_id": run_id, "lease": lease, "limit": limit, "lease_s": CLAIM_S},
    )


def people_of(tx: Transaction, customer_ids: Sequence[UUID]) -> list[Row]:
    """What profile publishes of these customers now (contact fields sealed)."""
    return tx.all(
        """
        SELECT customer_id, user_id, email, name, locale, time_zone, country, city, traits
        FROM profile_out.customers_v1 WHERE customer_id = ANY(%(customer_ids)s)
        """,
        {"customer_ids": list(customer_ids)},
    )


def consenting(tx: Transaction, customer_ids: Sequence[UUID], channel: str) -> set[UUID]:
    """Who of these customers wants marketing by the channel.

    By a list of ids, never by a join: only so does Postgres look up these few instead of sorting all consents.
    """
    rows = tx.all(
        """
        SELECT customer_id FROM profile_out.consents_v1
        WHERE customer_id = ANY(%(customer_ids)s) AND purpose = 'marketing' AND channel = %(channel)s AND granted
        """,
        {"customer_ids": list(customer_ids), "channel": channel},
    )
    return {row["customer_id"] for row in rows}


def move_address(tx: Transaction, send_id: UUID, address: str, address_index: str) -> bool:
    """Follow a customer to a new address, unless another recipient of the run has it. False: taken."""
    return bool(
        tx.value(
            """
            UPDATE send s SET address = %(address)s, address_index = %(address_index)s
            WHERE s.send_id = %(send_id)s AND NOT EXISTS (
                SELECT FROM send o WHERE o.run_id = s.run_id AND o.step = s.step AND o.visit = s.visit
                  AND o.address_index = %(address_index)s AND o.send_id <> s.send_id)
            RETURNING true
            """,
            {"send_id": send_id, "address": address, "address_index": address_index},
        )
    )


def renew(tx: Transaction, lease: UUID, send_ids: Sequence[UUID]) -> None:
    """Keep what of these is still claimed for another CLAIM_S seconds, unless that time is over already."""
    tx.execute(
        """
        UPDATE send SET lease_until = now() + make_interval(secs => %(lease_s)s)
        WHERE send_id = ANY(%(send_ids)s) AND lease = %(lease)s AND state = 'pending' AND lease_until > now()
        """,
        {"lease": lease, "send_ids": list(send_ids), "lease_s": CLAIM_S},
    )


def begin_hand_over(
    tx: Transaction,
    lease: UUID,
    window: UUID,
    send_ids: Sequence[UUID],
    items: Sequence[list[Any]],
    recommendation_ids: Sequence[UUID | None],
) -> set[UUID]:
    """Say, before a window leaves, that it is leaving. Only rows still ours, of a run still sending, may go."""
    rows = tx.all(
        """
        UPDATE send SET state = 'handing_over', hand_over = %(window)s, handed_over_at = now(),
               lease_until = now() + make_interval(secs => %(lease_s)s), items = what.items,
               recommendation_id = going.told
        FROM unnest(%(send_ids)s::uuid[], %(told)s::uuid[]) WITH ORDINALITY AS going (send_id, told, place)
             JOIN jsonb_array_elements(%(items)s) WITH ORDINALITY AS what (items, place) USING (place), run r
        WHERE send.send_id = going.send_id AND send.lease = %(lease)s AND send.state = 'pending'
          AND send.lease_until > now() AND r.run_id = send.run_id AND r.status = 'sending'
        RETURNING send.send_id
        """,
        {
            "lease": lease,
            "window": window,
            "lease_s": HAND_OVER_S,
            "send_ids": list(send_ids),
            "told": list(recommendation_ids),
            "items": Jsonb(items, orjson.dumps),
        },
    )
    return {row["send_id"] for row in rows}


def still_ours(tx: Transaction, lease: UUID, window: UUID, margin_s: float) -> set[UUID]:
    """The rows of the window whose lease holds for `margin_s` more seconds: the last look before they leave."""
    rows = tx.all(
        """
        SELECT send_id FROM send
        WHERE lease = %(lease)s AND hand_over = %(window)s AND state = 'handing_over'
          AND lease_until > now() + make_interval(secs => %(margin_s)s)
        """,
        {"lease": lease, "window": window, "margin_s": margin_s},
    )
    return {row["send_id"] for row in rows}


def settle_claimed(tx: Transaction, lease: UUID, settlements: Sequence[Settlement]) -> list[Row]:
    """Final states and new due times of rows under our lease that are not being handed over."""
    return _settle(tx, settlements, lease=lease)


def settle_window(tx: Transaction, window: UUID, settlements: Sequence[Settlement]) -> list[Row]:
    """The provider's answers. However late, they hold as long as nobody has handed the row over again since."""
    return _settle(tx, settlements, window=window)


def _settle(
    tx: Transaction, settlements: Sequence[Settlement], *, lease: UUID | None = None, window: UUID | None = None
) -> list[Row]:
    if not settlements:
        return []
    return tx.all(
        """
        UPDATE send SET
            -- An answer may come after the run has ended: nobody would send the message again, so it ends here.
            state = CASE WHEN told.state <> 'pending' OR r.finished_at IS NULL AND r.status <> 'cancelled'
                         THEN told.state WHEN r.status = 'cancelled' THEN 'cancelled' ELSE 'failed' END,
            reason = CASE WHEN told.state <> 'pending' OR r.finished_at IS NULL AND r.status <> 'cancelled'
                          THEN told.reason ELSE 'run_ended_before_it_was_sent' END,
            reply = coalesce(told.reply, send.reply),
            due_at = coalesce(told.due_at, send.due_at), attempts = send.attempts + told.tried::int,
            lease = NULL, lease_until = NULL,
            settled_at = CASE WHEN told.state <> 'pending' OR r.finished_at IS NOT NULL OR r.status = 'cancelled'
                              THEN now() END
        FROM unnest(%(send_ids)s::uuid[], %(states)s::text[], %(reasons)s::text[], %(due_ats)s::timestamptz[],
                    %(replies)s::text[], %(tried)s::boolean[])
             AS told (send_id, state, reason, due_at, reply, tried), run r
        WHERE send.send_id = told.send_id AND r.run_id = send.run_id
          AND (send.state = 'pending' AND send.lease = %(lease)s
               OR send.hand_over = %(window)s
                  AND (send.state IN ('handing_over', 'uncertain') OR send.state = 'pending' AND send.lease IS NULL))
        RETURNING send.send_id, send.state, send.address, send.address_index
        """,
        {
            "lease": lease,
            "window": window,
            "send_ids": [s.send_id for s in settlements],
            "states": [s.state for s in settlements],
            "reasons": [s.reason for s in settlements],
            "due_ats": [s.due_at for s in settlements],
            "replies": [s.reply for s in settlements],
            "tried": [s.tried for s in settlements],
        },
    )


def release(tx: Transaction, lease: UUID, send_ids: Sequence[UUID], after_s: float = 0) -> None:
    """Give back what of these is still claimed under a lease, due again `after_s` seconds from now."""
    tx.execute(
        """
        UPDATE send SET lease = NULL, lease_until = NULL,
               due_at = greatest(due_at, now() + make_interval(secs => %(after_s)s))
        WHERE send_id = ANY(%(send_ids)s) AND lease = %(lease)s AND state = 'pending'
        """,
        {"lease": lease, "send_ids": list(send_ids), "after_s": after_s},
    )


def resolve_interrupted(tx: Transaction) -> list[Row]:
    """Rows whose worker stopped while handing them over: promotional ones become uncertain, others are due again."""
    return tx.all(
        """
        UPDATE send SET
            state = CASE r.purpose WHEN 'transactional' THEN 'pending' ELSE 'uncertain' END,
            reason = CASE r.purpose WHEN 'transactional' THEN 'resent_after_interruption'
                                    ELSE 'interrupted_while_handing_over' END,
            settled_at = CASE r.purpose WHEN 'transactional' THEN NULL ELSE now() END,
            interruptions = send.interruptions + 1, lease = NULL, lease_until = NULL
        FROM run r
        WHERE r.run_id = send.run_id AND send.state = 'handing_over' AND send.lease_until < now()
        RETURNING send.send_id, send.run_id, send.hand_over, send.state
        """
    )


def settle_run(tx: Transaction, run_id: UUID, state: str, reason: str) -> int:
    """Settle all rows of a run that have not been handed over (cancelled, expired). Returns how many."""
    return tx.execute(
        """
        UPDATE send SET state = %(state)s, reason = %(reason)s, settled_at = now(), lease = NULL, lease_until = NULL
        WHERE run_id = %(run_id)s AND state = 'pending'
        """,
        {"run_id": run_id, "state": state, "reason": reason},
    ).rowcount


def expire_runs(tx: Transaction) -> int:
    """Settle what waited longer than its run may take."""
    return tx.execute(
        """
        UPDATE send SET state = 'expired', reason = 'not_sent_in_time', settled_at = now(), lease = NULL,
               lease_until = NULL
        FROM run r
        WHERE r.run_id = send.run_id AND r.status IN ('sending', 'paused') AND r.expires_at <= now()
          AND send.state = 'pending'
        """
    ).rowcount


def count_states(tx: Transaction, run_id: UUID) -> dict[str, int]:
    """How many recipients of the run are in each state."""
    rows = tx.all(
        "SELECT state, count(*) AS n FROM send WHERE run_id = %(run_id)s GROUP BY state ORDER BY state",
        {"run_id": run_id},
    )
    return {row["state"]: row["n"] for row in rows}


def recipients(tx: Transaction, run_id: UUID, state: str | None, after: UUID | None, limit: int) -> list[Row]:
    """The run's recipients in the order of their ids."""
    return tx.all(
        """
        SELECT send_id, customer_id, arm, state, reason, attempts, due_at, handed_over_at, settled_at, reply, items
        FROM send
        WHERE run_id = %(run_id)s AND (%(state)s::text IS NULL OR state = %(state)s)
          AND (%(after)s::uuid IS NULL OR send_id > %(after)s::uuid)
        ORDER BY send_id LIMIT %(limit)s
        """,
        {"run_id": run_id, "state": state, "after": after, "limit": limit},
    )


def messages_of(tx: Transaction, customer_id: UUID, after: UUID | None, limit: int) -> list[Row]:
    """A customer's messages, newest first, each with what came of it."""
    return tx.all(
        """
        SELECT s.send_id, r.campaign_id, c.name AS campaign_name, r.channel, r.purpose, r.subject, s.state, s.reason,
               s.handed_over_at, s.settled_at, s.items,
               ARRAY(SELECT DISTINCT o.kind FROM outcome o WHERE o.send_id = s.send_id AND o.bot IS NULL
                     ORDER BY o.kind) AS outcomes
        FROM send s JOIN run r USING (run_id) JOIN campaign c USING (campaign_id)
        WHERE s.customer_id = %(customer_id)s AND (%(after)s::uuid IS NULL OR s.send_id < %(after)s::uuid)
        ORDER BY s.send_id DESC LIMIT %(limit)s
        """,
        {"customer_id": customer_id, "after": after, "limit": limit},
    )


def find_send(tx: Transaction, send_id: UUID) -> Row | None:
    """One message with its run."""
    return tx.one(
        """
        SELECT s.send_id, s.run_id, s.identity_id, s.customer_id, s.address, s.address_index, s.state, s.handed_over_at,
               s.settled_at, s.items, r.campaign_id, r.channel, r.purpose, r.template_id, r.template_version, r.subject,
               r.as_of
        FROM send s JOIN run r USING (run_id) WHERE s.send_id = %(send_id)s
        """,
        {"send_id": send_id},
    )


def prove_delivered(tx: Transaction, send_id: UUID) -> bool:
    """An opened message has arrived, whatever we were unsure of. True when that was news."""
    return bool(
        tx.value(
            """
            UPDATE send SET state = 'sent', reason = 'proved_by_its_reader', settled_at = now()
            WHERE send_id = %(send_id)s AND state = 'uncertain' RETURNING true
            """,
            {"send_id": send_id},
        )
    )
