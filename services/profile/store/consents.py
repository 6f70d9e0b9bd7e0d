"""Decisions on consent, append-only, and those in force."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from shared.database import Row, Transaction


def add(tx: Transaction, decisions: Sequence[dict[str, Any]]) -> None:
    """Append decisions. The same decision of the same instant is kept once."""
    tx.many(
        """
        INSERT INTO consent (
            consent_id, identity_id, purpose, channel, granted, decided_at, source, text_version, evidence, recorded_at
        )
        VALUES (
            %(consent_id)s, %(identity_id)s, %(purpose)s, %(channel)s, %(granted)s, %(decided_at)s, %(source)s,
            %(text_version)s, %(evidence)s, %(recorded_at)s
        )
        ON CONFLICT DO NOTHING
        """,
        decisions,
    )


def of_customer(tx: Transaction, customer_id: UUID) -> list[Row]:
    """Every decision of a customer, over all of its identities, newest first."""
    return tx.all(
        """
        SELECT c.purpose, c.channel, c.granted, c.decided_at, c.source, c.text_version, c.evidence, c.recorded_at
        FROM consent c JOIN identity i USING (identity_id)
        WHERE i.customer_id = %(customer_id)s
        ORDER BY c.decided_at DESC, c.granted, c.consent_id DESC
        """,
        {"customer_id": customer_id},
    )
