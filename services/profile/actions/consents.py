"""Recording and reading consent."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.profile.actions import customers
from services.profile.domain import consent, contacts, identifiers
from services.profile.domain.consent import ConsentError, Decision
from services.profile.domain.identifiers import Identifier, IdentifierError
from services.profile.store import consents as store
from services.profile.store import identities as identity_store
from shared import audit, crypto
from shared.database import Transaction, transaction
from shared.ids import uuid7
from shared.problems import FieldError, Invalid
from shared.shop import shop


def consents_of(customer_id: UUID) -> dict[str, Any]:
    """The consents in force for a customer, and every decision that led there, newest first."""
    with transaction(read_only=True) as tx:
        current = customers.resolve(tx, customer_id)
        history = customers.decisions(tx, current)
    return {"customer_id": current, "items": consent.in_force(history), "history": history}


def set_consent(customer_id: UUID, purpose: str, channel: str, change: dict[str, Any], source: str) -> Decision:
    """Record a decision of a customer; returns the one in force then, which a later decision may still be.

    It is kept with the identity that was named, so that it follows it through merges and out of them.
    """
    now = datetime.now(UTC)
    decided = _decision({**change, "purpose": purpose, "channel": channel}, source, now)
    with transaction() as tx:
        before = consent.latest(customers.decisions(tx, customers.resolve(tx, customer_id)), purpose, channel)
        _add(tx, [(customer_id, decided)], now, evidence="api")
        history = customers.decisions(tx, customers.resolve(tx, customer_id))
        in_force = consent.latest(history, purpose, channel) or decided
        audit.record(
            *(tx, "consent.set", ("customer", customer_id)),
            {"purpose": purpose, "channel": channel, "granted": before.granted if before else None},
            {**vars(decided), "granted_now": in_force.granted},
        )
    return in_force


def record(changes: Sequence[dict[str, Any]], source: str) -> int:
    """Record decisions of many people by identifier; all or none. Returns how many.

    Somebody we have not heard of yet gets an identity, so that the decision waits for the customer to come.
    """
    now = datetime.now(UTC)
    region = shop().region
    errors: list[FieldError] = []
    wanted: list[tuple[Identifier, Decision]] = []
    for number, change in enumerate(changes):
        try:
            identifier = identifiers.read(change["identifier"], region, crypto.blind_index)
            wanted.append((identifier, _decision(change, source, now)))
        except (IdentifierError, ConsentError) as error:
            errors.append({"path": f"consents.{number}", "message": str(error)})
    if errors:
        raise Invalid("some of these are no consents; none was recorded", code="invalid_consent", errors=errors)
    with transaction() as tx:
        ids = _identities(tx, [identifier for identifier, _ in wanted], now)
        _add(tx, [(ids[identifier.kind, identifier.lookup], decided) for identifier, decided in wanted], now, "api")
        # Each decision is kept with its proof; the log says that somebody brought them, and how many of which kind.
        kinds = Counter(_kind_of(decided) for _, decided in wanted)
        audit.record(tx, "consent.record", ("consents", source), after={"recorded": len(wanted), **kinds})
    return len(wanted)


def _kind_of(decided: Decision) -> str:
    return f"{decided.purpose} by {decided.channel}: {'granted' if decided.granted else 'withdrawn'}"


def _decision(change: dict[str, Any], source: str, now: datetime) -> Decision:
    decided_at = change.get("decided_at") or now
    consent.check(change["purpose"], change["channel"], decided_at, now)
    return Decision(
        change["purpose"],
        change["channel"],
        change["granted"],
        decided_at,
        change.get("source") or source,
        change.get("text_version"),
    )


def _identities(tx: Transaction, wanted: Sequence[Identifier], now: datetime) -> dict[tuple[str, str], UUID]:
    by_key = {(identifier.kind, identifier.lookup): identifier for identifier in wanted}
    known = identity_store.find_many(tx, list(by_key))
    missing = [by_key[key] for key in sorted(by_key.keys() - known.keys())]
    if missing:
        identity_store.add(
            tx,
            [
                {
                    "identity_id": uuid7(),
                    "kind": identifier.kind,
                    "lookup": identifier.lookup,
                    "sealed": crypto.seal(identifier.value) if identifier.value else None,
                    "vouched": identifier.kind != contacts.ANONYMOUS_ID,
                }
                for identifier in missing
            ],
            now,
        )
        known = identity_store.find_many(tx, list(by_key))
    return {key: row["identity_id"] for key, row in known.items()}


def _add(tx: Transaction, decided: Sequence[tuple[UUID, Decision]], now: datetime, evidence: str) -> None:
    store.add(
        tx,
        [
            {
                **vars(decision),
                "consent_id": uuid7(),
                "identity_id": identity_id,
                "evidence": evidence,
                "recorded_at": now,
            }
            for identity_id, decision in decided
        ],
    )
