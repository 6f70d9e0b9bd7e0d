"""How many messages a person gets: slots, taken under a lock on the person's row."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from shared.database import Row, Transaction


def take(tx: Transaction, rows: Sequence[Row], purpose: str, now: datetime, messages: int, days: int) -> set[UUID]:
    """Take a slot for each row (send_id, identity_id, customer_id) whose person has one left; returns who holds one.

    Persons are locked in id order, so that two workers never wait for each other in a circle; the slots are counted
    under the lock, so that two campaigns never both take the last one. A row that holds its slot already keeps it.
    """
    people = sorted({row["customer_id"] for row in rows})
    tx.execute(
        "INSERT INTO cap_person (customer_id) SELECT unnest(%(people)s::uuid[]) ON CONFLICT DO NOTHING",
        {"people": people},
    )
    tx.execute(
        "SELECT FROM cap_person WHERE customer_id = ANY(%(people)s) ORDER BY customer_id FOR UPDATE", {"people": people}
    )
    send_ids = [row["send_id"] for row in rows]
    tx.execute(
        """
        INSERT INTO cap_slot (send_id, identity_id, customer_id, purpose, taken_at)
        SELECT w.send_id, w.identity_id, w.customer_id, %(purpose)s, %(now)s
        FROM (
            SELECT w.*, row_number() OVER (PARTITION BY w.customer_id ORDER BY w.send_id) AS place
            FROM unnest(%(send_ids)s::uuid[], %(identity_ids)s::uuid[], %(customer_ids)s::uuid[])
                 AS w (send_id, identity_id, customer_id)
            WHERE NOT EXISTS (SELECT FROM cap_slot c WHERE c.send_id = w.send_id)
        ) w
        WHERE w.place + (
            SELECT count(*) FROM cap_slot c
            WHERE c.customer_id = w.customer_id AND c.purpose = %(purpose)s AND c.taken_at > %(since)s
        ) <= %(messages)s
        """,
        {
            "send_ids": send_ids,
            "identity_ids": [row["identity_id"] for row in rows],
            "customer_ids": [row["customer_id"] for row in rows],
            "purpose": purpose,
            "now": now,
            "since": now - timedelta(days=days),
            "messages": messages,
        },
    )
    held = tx.all("SELECT send_id FROM cap_slot WHERE send_id = ANY(%(send_ids)s)", {"send_ids": send_ids})
    return {row["send_id"] for row in held}


def give_back(tx: Transaction, send_ids: Sequence[UUID]) -> None:
    """Free the slots of messages that certainly reached nobody."""
    tx.execute("DELETE FROM cap_slot WHERE send_id = ANY(%(send_ids)s)", {"send_ids": list(send_ids)})


def give_back_of_run(tx: Transaction, run_id: UUID) -> None:
    """Free the slots of a run's messages that were cancelled or expired before they left."""
    tx.execute(
        """
        DELETE FROM cap_slot USING send
        WHERE cap_slot.send_id = send.send_id AND send.run_id = %(run_id)s AND send.state IN ('cancelled', 'expired')
        """,
        {"run_id": run_id},
    )


def forget_old(tx: Transaction, before: datetime, limit: int) -> int:
    """Drop at most `limit` slots taken before an instant; returns how many."""
    return tx.execute(
        """
        DELETE FROM cap_slot WHERE send_id IN (
            SELECT send_id FROM cap_slot WHERE taken_at < %(before)s ORDER BY taken_at LIMIT %(limit)s
        )
        """,
        {"before": before, "limit": limit},
    ).rowcount
