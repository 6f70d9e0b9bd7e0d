"""What is known of each identity: the newest value of each trait, when it was said, and whether by a server."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import msgspec

from shared.database import Transaction


def of(tx: Transaction, identity_ids: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    """The traits of identities, by id; those of which nothing is known are missing."""
    rows = tx.all(
        "SELECT identity_id, traits FROM identity_trait WHERE identity_id = ANY(%(ids)s::uuid[])",
        {"ids": list(identity_ids)},
    )
    return {row["identity_id"]: row["traits"] for row in rows}


def keep(tx: Transaction, traits: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Write the traits of identities."""
    rows = [{"identity_id": identity_id, "traits": known} for identity_id, known in traits.items()]
    tx.execute(
        """
        INSERT INTO identity_trait (identity_id, traits)
        SELECT identity_id, traits
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS known (identity_id uuid, traits jsonb)
        ON CONFLICT (identity_id) DO UPDATE SET traits = excluded.traits
        """,
        {"rows": msgspec.json.encode(rows).decode()},
    )
