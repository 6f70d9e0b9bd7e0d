"""The freeze: who is in a run, each with a state and a reason, decided part by part in one transaction."""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from shared.database import Row, Transaction

ENTRY = ("part", "send_id", "customer_id", "address", "address_index", "consented", "known")
ENTRY_TYPES = ("int4", "uuid", "uuid", "text", "text", "bool", "bool")


def members(tx: Transaction, segment_id: UUID, channel: str) -> Iterator[Row]:
    """The segment's customers with their address (sealed) and their marketing consent for the channel."""
    return tx.stream(
        """
        SELECT m.customer_id, c.customer_id IS NOT NULL AS known, c.email AS address,
               coalesce(k.granted, false) AS consented
        FROM segmentation_out.memberships_v1 m
        LEFT JOIN profile_out.customers_v1 c ON c.customer_id = m.customer_id
        LEFT JOIN profile_out.consents_v1 k
          ON k.customer_id = m.customer_id AND k.purpose = 'marketing' AND k.channel = %(channel)s
        WHERE m.segment_id = %(segment_id)s
        """,
        {"segment_id": segment_id, "channel": channel},
    )


def begin(tx: Transaction) -> None:
    """A temporary table for the entries."""
    tx.execute(
        """
        CREATE TEMPORARY TABLE audience_entry (
            part int, send_id uuid, customer_id uuid, address text, address_index text, consented boolean, known boolean
        ) ON COMMIT DROP
        """
    )


def add(tx: Transaction, entries: Iterable[tuple[Any, ...]]) -> int:
    """Write entries (columns as ENTRY)."""
    return tx.copy("audience_entry", ENTRY, entries, ENTRY_TYPES)


def collected(tx: Transaction) -> None:
    """All entries are there: from here on their parts are looked up."""
    tx.execute("CREATE INDEX ON audience_entry (part)")
    tx.execute("ANALYZE audience_entry")


def freeze(tx: Transaction, run: Row, holdout_threshold: int, parts: range) -> None:
    """Every entry of these parts becomes a row of the ledger; nobody is left out in silence.

    Entries of the same address must be in the same part. The bucket is that of domain.assignment: the first four bytes
    of SHA-256 of `salt:customer`.
    """
    tx.execute(
        """
        WITH judged AS (
            SELECT e.*, CASE
                WHEN NOT e.known THEN 'erased'
                WHEN e.address_index IS NULL THEN 'no_address'
                WHEN s.reason IS NOT NULL THEN 'suppressed'
                WHEN %(purpose)s = 'promotional' AND NOT e.consented THEN 'no_consent'
                ELSE 'eligible' END AS verdict, s.reason AS suppressed_for
            FROM (
                SELECT * FROM audience_entry WHERE part >= %(first_part)s AND part < %(end_part)s
            ) e
            LEFT JOIN LATERAL (
                SELECT min(reason) AS reason FROM suppression s
                WHERE s.address_index = e.address_index AND s.channel = %(channel)s
                  AND (s.scope = 'all' OR %(purpose)s = 'promotional')
            ) s ON true
        ), ranked AS (
            SELECT j.*, row_number() OVER (PARTITION BY address_index, verdict ORDER BY customer_id) AS place,
                   ('x' || encode(substr(sha256(convert_to(%(salt)s || ':' || customer_id::text, 'UTF8')), 1, 4), 'hex')
                   )::bit(32)::bigint & 4294967295 AS bucket
            FROM judged j
        ), decided AS (
            SELECT r.*, CASE
                WHEN verdict <> 'eligible' THEN verdict
                WHEN place > 1 THEN 'duplicate_address'
                WHEN bucket < %(threshold)s THEN 'holdout'
                ELSE 'pending' END AS state
            FROM ranked r
        )
        INSERT INTO send
            (send_id, run_id, identity_id, customer_id, arm, address, address_index, state, reason, settled_at)
        SELECT send_id, %(run_id)s, customer_id, customer_id,
               CASE state WHEN 'holdout' THEN 'holdout' WHEN 'pending' THEN 'treated' END,
               address, CASE WHEN state IN ('holdout', 'pending') THEN address_index END, state,
               CASE state
                   WHEN 'erased' THEN 'customer_unknown'
                   WHEN 'no_address' THEN 'address_missing'
                   WHEN 'suppressed' THEN suppressed_for
                   WHEN 'no_consent' THEN 'marketing_email_not_granted'
                   WHEN 'duplicate_address' THEN 'address_shared_with_another_recipient'
                   WHEN 'holdout' THEN 'held_out_to_compare'
                   ELSE '' END,
               CASE WHEN state <> 'pending' THEN now() END
        FROM decided
        """,
        {
            "run_id": run["run_id"],
            "purpose": run["purpose"],
            "channel": run["channel"],
            "salt": run["assignment_salt"],
            "threshold": holdout_threshold,
            "first_part": parts.start,
            "end_part": parts.stop,
        },
    )
