"""Logging in and out. A session is a random token in a cookie and its hash in Postgres."""

import hashlib
import secrets
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from services.console.actions import passwords, users
from services.console.domain import logins as rules
from services.console.domain.permissions import may, scopes
from services.console.store import sessions as store
from services.console.store import users as user_store
from shared import audit
from shared.audit import VISITOR, Actor
from shared.crypto import blind_index, unseal
from shared.database import Row, transaction
from shared.problems import Invalid, TooMany, Unauthorized
from shared.telemetry import get_logger

_log = get_logger(__name__)

# argon2 takes 64 MiB for each password: no more than two at a time in one process, however many knock.
_checking: Final = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class Person:
    """Whoever is logged in."""

    user_id: UUID
    email: str
    role: str
    language: str

    def may(self, permission: str) -> bool:
        """Whether this person's role holds `permission`."""
        return may(self.role, permission)

    @property
    def scopes(self) -> tuple[str, ...]:
        """What siblings are asked to do on behalf of this person."""
        return tuple(sorted(scopes(self.role)))

    @property
    def actor(self) -> Actor:
        """This person in the audit log."""
        return Actor("user", str(self.user_id), self.email)


@dataclass(frozen=True)
class Session:
    """A new session: the token for the cookie, and whose it is."""

    token: str
    person: Person


def log_in(email: str, password: str, address: str, replaces: str | None = None) -> Session:
    """Open a session; whatever session the browser had (`replaces`) ends, so that a planted one is worthless.

    Raises Unauthorized, with the same words whoever it is that is not let in, and TooMany.
    """
    now = datetime.now(UTC)
    index = _index(email)
    subjects = {"user": index, "address": blind_index("address", address)}
    _reserve_attempt(subjects, now)
    with transaction(read_only=True) as tx:
        user = user_store.by_email(tx, index)
    with _checking:
        right = passwords.verify(user["password_hash"] if user else None, password)
    if user is None or not right or user["disabled_at"] is not None:
        _log.warning("login_refused")
        _note_refusal(user, right, address)
        raise Unauthorized("the e-mail address or the password is not right", code="login_refused")
    return _open(user, password, subjects, now, replaces)


def who(token: str | None) -> Person | None:
    """The person behind a session token, or None where it is unknown, expired, idle for long or shut out."""
    if not token:
        return None
    now, hashed = datetime.now(UTC), token_hash(token)
    with transaction(read_only=True) as tx:
        row = store.find(tx, hashed, now, now - rules.SESSION_IDLE)
    if row is None:
        return None
    if rules.wants_touch(row["seen_at"], now):
        with transaction() as tx:
            store.touch(tx, hashed, now)
    return Person(row["user_id"], unseal(row["email"]), row["role"], row["language"])


def log_out(token: str, actor: Actor) -> None:
    """End a session."""
    with transaction() as tx:
        store.delete(tx, token_hash(token))
        audit.record(tx, "user.log_out", ("user", actor.id), actor=actor)


def prune() -> int:
    """Remove sessions that have ended and attempts that no longer count. Returns how many rows went."""
    now = datetime.now(UTC)
    with transaction() as tx:
        return store.prune(tx, now, now - rules.WINDOW)


def token_hash(token: str) -> bytes:
    """What is kept of a session token (256 random bits, so a bare hash is enough)."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _index(email: str) -> str:
    try:
        return users.email_index(users.normalise(email))
    except Invalid:
        return users.email_index(email.strip().lower()[:320])


def _reserve_attempt(subjects: dict[str, str], now: datetime) -> None:
    # Counted as failed before it is tried: a hundred guesses at once must not all pass a count of zero.
    with transaction() as tx:
        store.lock_subjects(tx, subjects)
        if rules.too_many(store.failures(tx, subjects, now - rules.WINDOW)):
            _log.warning("login_blocked")
            raise TooMany(
                "too many attempts to log in; wait a quarter of an hour",
                code="login_blocked",
                retry_after=int(rules.WINDOW.total_seconds()),
            )
        store.add_failure(tx, subjects, now)


def _note_refusal(user: Row | None, right: bool, address: str) -> None:
    # What was typed as the address of nobody is not kept: it may well be a password.
    why = "nobody has this address" if user is None else "disabled" if right else "wrong password"
    with transaction() as tx:
        subject = ("user", user["user_id"] if user else "")
        audit.record(tx, "user.log_in_refused", subject, after={"reason": why, "address": address}, actor=VISITOR)


def _open(user: Row, password: str, subjects: dict[str, str], now: datetime, replaces: str | None) -> Session:
    person = Person(user["user_id"], unseal(user["email"]), user["role"], user["language"])
    token = secrets.token_urlsafe(32)
    rehashed = passwords.hash_password(password) if passwords.outdated(user["password_hash"]) else None
    with transaction() as tx:
        if replaces:
            store.delete(tx, token_hash(replaces))
        store.insert(
            tx,
            {
                "token_hash": token_hash(token),
                "user_id": person.user_id,
                "now": now,
                "expires_at": now + rules.SESSION_LIFE,
            },
        )
        store.clear_failures(tx, subjects, now)
        user_store.mark_login(tx, person.user_id)
        if rehashed is not None:
            user_store.set_password(tx, person.user_id, rehashed)
        audit.record(tx, "user.log_in", ("user", person.user_id), actor=person.actor)
    return Session(token, person)
