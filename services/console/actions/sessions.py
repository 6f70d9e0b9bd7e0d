"""Logging in and out. A session is a random token in a cookie and its hash in Postgres."""

import hashlib
import secrets
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from services.console.actions import attempts, passwords, two_step, users
from services.console.actions.attempts import Attempt
from services.console.domain import logins as rules
from services.console.domain.permissions import may, scopes
from services.console.store import attempts as attempt_store
from services.console.store import resets as reset_store
from services.console.store import sessions as store
from services.console.store import users as user_store
from shared import audit, crypto
from shared.audit import VISITOR, Actor
from shared.crypto import seal, unseal
from shared.database import Row, transaction
from shared.ids import uuid7
from shared.problems import Invalid, Unauthorized
from shared.telemetry import get_logger

_log = get_logger(__name__)

# argon2 takes 64 MiB for each password: no more than two at a time in one process, however many knock.
_checking: Final = threading.BoundedSemaphore(2)
_SECOND_STEP: Final = "console-second-step"


@dataclass(frozen=True)
class Person:
    """Whoever is logged in. `must_set_up`: their role needs the second step, and they have not set it up."""

    user_id: UUID
    email: str
    role: str
    language: str
    session_id: UUID
    two_step: bool
    must_set_up: bool

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
class Visit:
    """From where somebody logs in, and the session their browser had, which ends: a planted one is worthless."""

    address: str
    device: str = ""
    replaces: str | None = None


@dataclass(frozen=True)
class Session:
    """A new session: the token for the cookie, and what this person is to be told now."""

    token: str
    notices: list[str]


@dataclass(frozen=True)
class SecondStep:
    """The password was right, a code is needed: the token with which to come back, good for a few minutes."""

    token: str


@dataclass(frozen=True)
class Login:
    """One of a person's own sessions. `here`: the one this is asked from."""

    session_id: UUID
    address: str
    device: str
    created_at: datetime
    seen_at: datetime
    here: bool


def log_in(email: str, password: str, visit: Visit) -> Session | SecondStep:
    """Open a session, or ask for the second step.

    Raises Unauthorized, with the same words whoever it is that is not let in, and TooMany.
    """
    index = _index(email)
    attempt = attempts.begin(index, visit.address)
    with transaction(read_only=True) as tx:
        user = user_store.by_email(tx, index)
    with _checking:
        right = passwords.verify(user["password_hash"] if user else None, password)
    if user is None or not right or user["disabled_at"] is not None:
        # What was typed as the address of nobody is not kept: it may well be a password.
        why = "nobody has this address" if user is None else "disabled" if right else "wrong password"
        _note_refusal(user["user_id"] if user else "", why, visit)
        raise Unauthorized("the e-mail address or the password is not right", code="login_refused")
    if passwords.outdated(user["password_hash"]):
        with transaction() as tx:
            user_store.rehash(tx, user["user_id"], passwords.hash_password(password))
    if user["totp_on_since"] is not None:
        waiting = {"user": str(user["user_id"]), "version": user["version"]}
        return SecondStep(crypto.sign(_SECOND_STEP, waiting, int(rules.SECOND_STEP_LIFE.total_seconds())))
    return _open(user, visit, attempt, "password")


def second_step(token: str, code: str, visit: Visit) -> Session:
    """Open the session of somebody whose password was right, with a code of their authenticator or a recovery code.

    Raises Unauthorized (`step_expired`: begin again; `code_wrong`), TooMany: codes count like passwords.
    """
    try:
        waiting = crypto.verify(_SECOND_STEP, token)
    except ValueError as error:
        raise Unauthorized("log in again", code="step_expired") from error
    with transaction(read_only=True) as tx:
        user = user_store.get(tx, UUID(waiting["user"]))
    stale = user is None or user["version"] != waiting["version"] or user["totp_on_since"] is None
    if user is None or stale or user["disabled_at"] is not None:
        raise Unauthorized("log in again", code="step_expired")
    attempt = attempts.begin(user["email_index"], visit.address)
    with transaction() as tx:
        proof = two_step.check(tx, user, code)
    if proof is None:
        _note_refusal(user["user_id"], "wrong code", visit)
        raise Unauthorized("this code is not right, or was used already", code="code_wrong")
    return _open(user, visit, attempt, proof)


def who(token: str | None) -> Person | None:
    """The person behind a session token, or None where it is unknown, expired, idle for long or shut out."""
    if not token:
        return None
    now, hashed = datetime.now(UTC), token_hash(token)
    with transaction(read_only=True) as tx:
        row = store.find(tx, hashed, now, now - rules.SESSION_IDLE)
    if row is None:
        return None
    if rules.wants_touch(row.pop("seen_at"), now):
        with transaction() as tx:
            store.touch(tx, hashed, now)
    return Person(**{**row, "email": unseal(row["email"])})


def log_out(token: str, actor: Actor) -> None:
    """End a session."""
    with transaction() as tx:
        store.delete(tx, token_hash(token))
        audit.record(tx, "user.log_out", ("user", actor.id), actor=actor)


def own_sessions(person: Person) -> list[Login]:
    """Where this person is logged in, the place used last first."""
    now = datetime.now(UTC)
    with transaction(read_only=True) as tx:
        rows = store.of_user(tx, person.user_id, now, now - rules.SESSION_IDLE)
    return [
        Login(
            **{**row, "address": unseal(row["address"]) if row["address"] else "", "device": row["device"] or ""},
            here=row["session_id"] == person.session_id,
        )
        for row in rows
    ]


def end_others(person: Person, session_id: UUID | None = None) -> int:
    """End one other session of this person, or all others; returns how many ended."""
    with transaction() as tx:
        if session_id is None:
            ended = store.delete_of_user(tx, person.user_id, keep=person.session_id)
        else:
            ended = store.delete_one(tx, person.user_id, session_id)
        audit.record(
            *(tx, "user.end_sessions", ("user", person.user_id)), after={"sessions": ended}, actor=person.actor
        )
    return ended


def prune() -> int:
    """Remove sessions and links that have ended and attempts that no longer count. Returns how many rows went."""
    now = datetime.now(UTC)
    with transaction() as tx:
        return store.prune(tx, now) + reset_store.prune(tx, now) + attempt_store.prune(tx, now - rules.WINDOW)


def token_hash(token: str) -> bytes:
    """What is kept of a session token (256 random bits, so a bare hash is enough)."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _index(email: str) -> str:
    try:
        return users.email_index(users.normalise(email))
    except Invalid:
        return users.email_index(email.strip().lower()[:320])


def _note_refusal(user_id: object, why: str, visit: Visit) -> None:
    _log.warning("login_refused")
    with transaction() as tx:
        after = {"reason": why, "address": visit.address}
        audit.record(tx, "user.log_in_refused", ("user", user_id), after=after, actor=VISITOR)


def _open(user: Row, visit: Visit, attempt: Attempt, proof: str) -> Session:
    now, token, user_id = datetime.now(UTC), secrets.token_urlsafe(32), user["user_id"]
    with transaction() as tx:
        if visit.replaces:
            store.delete(tx, token_hash(visit.replaces))
        store.insert(
            tx,
            {
                "token_hash": token_hash(token),
                "session_id": uuid7(),
                "user_id": user_id,
                "now": now,
                "expires_at": now + rules.SESSION_LIFE,
                "address": seal(visit.address) if visit.address else None,
                "device": visit.device or None,
            },
        )
        attempt.succeeded(tx)
        notices = user_store.mark_login(tx, user_id)
        after = {"address": visit.address, "device": visit.device, "proof": proof}
        actor = Actor("user", str(user_id), unseal(user["email"]))
        audit.record(tx, "user.log_in", ("user", user_id), after=after, actor=actor)
    return Session(token, notices)
