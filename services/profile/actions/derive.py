"""What is known of customers: traits learnt from identify events, consent withdrawn by mail events, derived rows."""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import Final
from uuid import UUID

from services.profile.domain import names, times, traits
from services.profile.domain.consent import MARKETING
from services.profile.domain.contacts import ANONYMOUS_ID
from services.profile.domain.traits import Source, State
from services.profile.store import appending, consents
from services.profile.store import customers as store
from services.profile.store import identities as identity_store
from services.profile.store import traits as trait_store
from shared import crypto
from shared.database import Transaction
from shared.ids import uuid7

_OF_SOURCE: Final = ("identity_id", "kind", "lookup", "sealed", "vouched", "replaced")


def learn_traits(tx: Transaction) -> set[UUID]:
    """Take in what the identify events of this round say; returns the customers concerned."""
    told = appending.identifies(tx)
    if not told:
        return set()
    before = trait_store.of(tx, {row["identity_id"] for row in told})
    after: dict[UUID, State] = dict(before)
    for row in told:
        said = traits.said_by(row["traits"], row["context"])
        if said:
            identity_id = row["identity_id"]
            at = times.micros(row["occurred_at"])
            after[identity_id] = traits.learn(after.get(identity_id, {}), said, at, trusted=row["trusted"])
    changed = {identity_id: state for identity_id, state in after.items() if state != before.get(identity_id)}
    if not changed:
        return set()
    trait_store.keep(tx, changed)
    return {row["customer_id"] for row in identity_store.of_ids(tx, changed)}


def withdraw_consents(tx: Transaction, now: datetime) -> None:
    """A server's event that somebody unsubscribed, or called a mail spam, withdraws consent to marketing mail."""
    found = appending.withdrawals(tx)
    if found:
        consents.add(
            tx,
            [
                {
                    "consent_id": uuid7(),
                    "identity_id": row["identity_id"],
                    "purpose": MARKETING,
                    "channel": "email",
                    "granted": False,
                    "decided_at": row["occurred_at"],
                    "source": row["event"],
                    "text_version": None,
                    "evidence": row["message_id"],
                    "recorded_at": now,
                }
                for row in found
            ],
        )


def customers(tx: Transaction, touched: Iterable[UUID], now: datetime) -> None:
    """Derive these customers anew. Identities among `touched` stand for their customers."""
    current = {row["customer_id"] for row in identity_store.of_ids(tx, touched)}
    if not current:
        return
    rows = []
    for customer_id, found in groupby(store.sources(tx, current), key=lambda row: row["customer_id"]):
        sources = [Source(**{name: row[name] for name in _OF_SOURCE}, traits=row["traits"] or {}) for row in found]
        if any(source.kind != ANONYMOUS_ID or source.traits for source in sources):
            rows.append({"customer_id": customer_id, **traits.derive(sources, _unseal, crypto.seal)})
    _keep(tx, rows, now)


def _keep(tx: Transaction, rows: list[dict[str, object]], now: datetime) -> None:
    if not rows:
        return
    known = store.names(tx, [row["customer_id"] for row in rows])  # type: ignore[misc]
    store.keep(tx, rows, now)
    renamed = {row["customer_id"]: row["name"] for row in rows if row["name"] != known.get(row["customer_id"])}  # type: ignore[call-overload]
    if renamed:
        store.name_tokens(tx, {customer_id: _name_tokens(name) for customer_id, name in renamed.items()})  # type: ignore[misc, arg-type]


def _name_tokens(sealed: str | None) -> list[str]:
    if sealed is None:
        return []
    return [crypto.blind_index("name", token) for token in names.tokens(_unseal(sealed))]


def _unseal(sealed: str) -> str:
    """The text behind a sealed value; nothing where it cannot be opened: clients may send what merely looks sealed."""
    try:
        return crypto.unseal(sealed)
    except crypto.SealError:
        return ""
