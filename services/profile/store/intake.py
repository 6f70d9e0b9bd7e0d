"""The intake: what the collector accepted, until the appender has put it into the log."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.profile.domain.events import Accepted
from services.profile.store import arrays
from shared.database import Row, Transaction


def put(
    tx: Transaction,
    events: Sequence[Accepted],
    *,
    received_at: datetime,
    key_id: UUID | None,
    source: str,
    trusted: bool,
    imported: bool,
) -> None:
    """Write the events of one request, one statement for all."""
    tx.execute(
        """
        INSERT INTO intake (
            received_at, key_id, source, trusted, imported, message_key, message_id, type, event, occurred_at,
            own_kind, own_lookup, own_sealed, claims, payload
        )
        SELECT %(received_at)s, %(key_id)s, %(source)s, %(trusted)s, %(imported)s, message_key, message_id, type,
               event, occurred_at, own_kind, own_lookup, own_sealed, claims::jsonb, payload::jsonb
        FROM unnest(
            %(message_keys)b, %(message_ids)b, %(types)b, %(events)b, %(occurred)b,
            %(kinds)b, %(lookups)b, %(sealed)b, %(claims)b, %(payloads)b
        ) AS arrived (
            message_key, message_id, type, event, occurred_at, own_kind, own_lookup, own_sealed, claims, payload
        )
        """,
        {
            "received_at": received_at,
            "key_id": key_id,
            "source": source,
            "trusted": trusted,
            "imported": imported,
            "message_keys": arrays.uuids([event.message_key for event in events]),
            "message_ids": arrays.texts([event.message_id.encode() for event in events]),
            "types": arrays.texts([event.type.encode() for event in events]),
            "events": arrays.optional_texts([_bytes(event.event) for event in events]),
            "occurred": arrays.instants([event.occurred for event in events]),
            "kinds": arrays.texts([event.own.kind.encode() for event in events]),
            "lookups": arrays.texts([event.own.lookup.encode() for event in events]),
            "sealed": arrays.optional_texts([_bytes(event.own.sealed) for event in events]),
            "claims": arrays.optional_texts([event.claims for event in events]),
            "payloads": arrays.texts([event.payload for event in events]),
        },
    )


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def backlog(tx: Transaction) -> Row:
    """How many rows wait, and since when the oldest has."""
    return tx.all("SELECT count(*) AS rows, min(received_at) AS oldest FROM intake")[0]
