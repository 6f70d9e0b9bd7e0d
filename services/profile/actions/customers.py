"""Looking at customers. Contact fields are opened here, for callers that may see them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.profile.actions import opened
from services.profile.domain import contacts, identifiers, names
from services.profile.domain.consent import Decision, in_force
from services.profile.store import consents, log
from services.profile.store import customers as store
from services.profile.store import identities as identity_store
from shared import crypto
from shared.database import Row, Transaction, transaction
from shared.problems import NotFound
from shared.shop import shop

Customer = dict[str, Any]


def get_customer(customer_id: UUID) -> Customer:
    """One customer with identities and consents. An id from before a merge finds the customer of today."""
    with transaction(read_only=True) as tx:
        current = resolve(tx, customer_id)
        row = store.get(tx, current)
        if row is None:
            raise NotFound("there is no such customer")
        return {
            **_opened(row),
            "identities": _identities(tx, current),
            "consents": [vars(decision) for decision in in_force(decisions(tx, current))],
        }


def resolve(tx: Transaction, customer_id: UUID) -> UUID:
    """The customer an id stands for today. Raises NotFound."""
    current = identity_store.customer_of(tx, customer_id)
    if current is None:
        raise NotFound("there is no such customer")
    return current


def decisions(tx: Transaction, customer_id: UUID) -> list[Decision]:
    """All decisions on consent of a customer."""
    fields = ("purpose", "channel", "granted", "decided_at", "source", "text_version")
    return [Decision(*(row[name] for name in fields)) for row in consents.of_customer(tx, customer_id)]


def by_identifier(text: str) -> list[Customer]:
    """The customer with an identifier (`email:…`), if there is one."""
    identifier = identifiers.read(text, shop().region, crypto.blind_index)
    with transaction(read_only=True) as tx:
        identity = identity_store.find(tx, identifier.kind, identifier.lookup)
        row = store.get(tx, identity["customer_id"]) if identity else None
        return [_opened(row)] if row else []


def by_ids(customer_ids: Sequence[UUID]) -> list[Customer]:
    """Several customers at once; those there are not are left out."""
    with transaction(read_only=True) as tx:
        return [_opened(row) for row in store.of_ids(tx, customer_ids)]


def by_name(text: str, after: UUID | None, limit: int) -> list[Customer]:
    """Customers whose name has all of these words (of Chinese text: each pair of characters), by id."""
    tokens = [crypto.blind_index("name", token) for token in names.search_tokens(text)]
    if not tokens:
        return []
    with transaction(read_only=True) as tx:
        return [_opened(row) for row in store.by_name(tx, tokens, after, limit)]


def newest_seen(before: tuple[datetime, UUID] | None, limit: int) -> list[Customer]:
    """Customers, newest seen first."""
    with transaction(read_only=True) as tx:
        return [_opened(row) for row in store.newest_seen(tx, before, limit)]


def timeline(
    customer_id: UUID, before: tuple[datetime, int] | None, limit: int, types: list[str] | None
) -> list[dict[str, Any]]:
    """A customer's events, newest first."""
    with transaction(read_only=True) as tx:
        rows = log.timeline(tx, resolve(tx, customer_id), before, limit, types)
    return [{**row, "payload": opened.everything(row["payload"])} for row in rows]


def identities(customer_id: UUID) -> list[dict[str, Any]]:
    """The identifiers by which a customer is known."""
    with transaction(read_only=True) as tx:
        return _identities(tx, resolve(tx, customer_id))


def _identities(tx: Transaction, customer_id: UUID) -> list[dict[str, Any]]:
    return [
        {
            "identity_id": row["identity_id"],
            "kind": row["kind"],
            "value": opened.text(row["sealed"] or "") if row["kind"] in contacts.CONTACT_KINDS else row["lookup"],
            "vouched": row["vouched"],
            "created_at": row["created_at"],
        }
        for row in identity_store.of_customers(tx, [customer_id])
    ]


def _opened(row: Row) -> Customer:
    return {
        **row,
        **{name: opened.text(row[name]) if row[name] else None for name in ("email", "phone", "name")},
        "traits": opened.everything(row["traits"]),
    }
