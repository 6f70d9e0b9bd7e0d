"""Customers as profile publishes them, and what here follows when they merge or split."""

from collections.abc import Sequence
from uuid import UUID

from shared.database import Row, Transaction


def find_customer(tx: Transaction, customer_id: UUID) -> Row | None:
    """One customer (contact fields sealed), by any id it ever had."""
    return tx.one(
        """
        SELECT c.customer_id, c.user_id, c.email, c.name, c.locale, c.time_zone, c.country, c.city, c.traits
        FROM profile_out.identity_map_v1 m JOIN profile_out.customers_v1 c ON c.customer_id = m.customer_id
        WHERE m.identity_id = %(customer_id)s
        """,
        {"customer_id": customer_id},
    )


def follow(tx: Transaction, identities: Sequence[UUID]) -> None:
    """Bring what belongs to these identities to the customers they belong to now."""
    mine = {"identities": list(identities)}
    for statement in (
        """
        UPDATE send SET customer_id = m.customer_id FROM profile_out.identity_map_v1 m
        WHERE send.identity_id = ANY(%(identities)s) AND m.identity_id = send.identity_id
          AND send.customer_id <> m.customer_id
        """,
        """
        UPDATE cap_slot SET customer_id = m.customer_id FROM profile_out.identity_map_v1 m
        WHERE cap_slot.identity_id = ANY(%(identities)s) AND m.identity_id = cap_slot.identity_id
          AND cap_slot.customer_id <> m.customer_id
        """,
        """
        UPDATE purchase SET customer_id = m.customer_id FROM profile_out.identity_map_v1 m
        WHERE purchase.identity_id = ANY(%(identities)s) AND m.identity_id = purchase.identity_id
          AND purchase.customer_id IS DISTINCT FROM m.customer_id
        """,
    ):
        tx.execute(statement, mine)


def fold_merged(tx: Transaction, identities: Sequence[UUID]) -> int:
    """One person gets one message: of a merged customer's waiting rows keep one, or none when one has gone."""
    return tx.execute(
        """
        UPDATE send s SET state = 'merged', reason = 'same_person_as_another_recipient', settled_at = now(),
               address_index = NULL, -- free for the row that stays, whose person may go by it now
               lease = NULL, lease_until = NULL
        WHERE s.state = 'pending' AND s.customer_id IN (
            SELECT customer_id FROM profile_out.identity_map_v1 WHERE identity_id = ANY(%(identities)s)
          ) AND EXISTS (
            SELECT FROM send o
            WHERE o.run_id = s.run_id AND o.step = s.step AND o.visit = s.visit AND o.customer_id = s.customer_id
              AND o.send_id <> s.send_id
              AND (o.state IN ('sent', 'handing_over', 'uncertain', 'holdout')
                   OR o.state = 'pending' AND o.send_id < s.send_id))
        """,
        {"identities": list(identities)},
    ).rowcount


def unfold_split(tx: Transaction, identities: Sequence[UUID]) -> int:
    """Persons who turned out to be two get their own message again, where the run still goes on."""
    return tx.execute(
        """
        UPDATE send s SET state = 'pending', reason = '', settled_at = NULL, due_at = now()
        FROM run r
        WHERE s.state = 'merged' AND s.customer_id IN (
            SELECT customer_id FROM profile_out.identity_map_v1 WHERE identity_id = ANY(%(identities)s)
          ) AND r.run_id = s.run_id
          AND r.status IN ('sending', 'paused') AND NOT EXISTS (
            SELECT FROM send o
            WHERE o.run_id = s.run_id AND o.step = s.step AND o.visit = s.visit AND o.customer_id = s.customer_id
              AND o.send_id <> s.send_id)
        """,
        {"identities": list(identities)},
    ).rowcount
