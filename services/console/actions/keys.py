"""API keys: made once, shown once, kept as hashes, revoked for good."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.console.domain import keys as rules
from services.console.store import keys as store
from shared import audit, auth, contracts
from shared.audit import SYSTEM, Actor
from shared.database import Transaction, transaction
from shared.ids import uuid7
from shared.problems import Invalid, NotFound


@dataclass(frozen=True)
class CreatedKey:
    """A new key; `secret` exists nowhere else and cannot be shown again."""

    key_id: UUID
    secret: str


@dataclass(frozen=True)
class KeyRecord:
    """What is known of a key."""

    key_id: UUID
    hint: str
    kind: str
    name: str
    scopes: list[str]
    created_at: datetime
    created_by: str
    revoked_at: datetime | None


def create_key(name: str, kind: str, actor: Actor = SYSTEM) -> CreatedKey:
    """Make a key of `kind` (collect, storefront, server, admin). Raises Invalid."""
    if kind not in contracts.KEY_SCOPES:
        raise Invalid(f"there is no kind of key called {kind!r}", errors=[{"path": "kind", "message": "unknown kind"}])
    if not name.strip():
        raise Invalid("a key needs a name", errors=[{"path": "name", "message": "must not be empty"}])
    with transaction() as tx:
        return make(tx, name.strip(), kind, actor)


def make(tx: Transaction, name: str, kind: str, actor: Actor) -> CreatedKey:
    """Make a key of a kind that there is, as a part of something larger."""
    secret = rules.compose(kind, secrets.token_urlsafe(rules.SECRET_BYTES))
    key_id = uuid7()
    key = {
        "key_id": key_id,
        "key_hash": auth.hash_key(secret),
        "hint": rules.hint(secret, kind),
        "kind": kind,
        "name": name,
        "scopes": sorted(contracts.KEY_SCOPES[kind]),
        "created_by": actor.id,
    }
    store.insert(tx, key)
    shown = {field: key[field] for field in ("name", "kind", "hint")}
    audit.record(tx, "key.create", ("key", key_id), after=shown, actor=actor)
    return CreatedKey(key_id, secret)


def end(tx: Transaction, key_id: UUID, actor: Actor) -> None:
    """Revoke a key, as a part of something larger; forget_keys() after the commit makes it felt at once."""
    if store.revoke(tx, key_id):
        audit.record(tx, "key.revoke", ("key", key_id), actor=actor)


def revoke_key(key_id: UUID, actor: Actor = SYSTEM) -> KeyRecord:
    """End a key for good; all services refuse it within seconds. Revoking twice changes nothing. Raises NotFound."""
    with transaction() as tx:
        end(tx, key_id, actor)
        row = store.get(tx, key_id)
    if row is None:
        raise NotFound("there is no such key")
    auth.forget_keys()
    return KeyRecord(**row)


def list_keys() -> list[KeyRecord]:
    """All keys, those in force first."""
    with transaction(read_only=True) as tx:
        return [KeyRecord(**row) for row in store.every(tx)]
