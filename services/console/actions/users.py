"""People who may enter the console, and their roles."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from email_validator import EmailNotValidError, validate_email

from services.console.actions import attempts, passwords
from services.console.domain import passwords as policy
from services.console.domain.permissions import ROLES
from services.console.store import attempts as attempt_store
from services.console.store import resets as reset_store
from services.console.store import sessions as session_store
from services.console.store import users as store
from shared import audit
from shared.audit import SYSTEM, Actor
from shared.crypto import blind_index, seal, unseal
from shared.database import Row, Transaction, transaction
from shared.ids import uuid7
from shared.problems import Conflict, Invalid, NotFound


@dataclass(frozen=True)
class CreatedUser:
    """A new person; `password` as given, or the one made up, which is shown once."""

    user_id: UUID
    email: str
    role: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class UserRecord:
    """What is known of a person."""

    user_id: UUID
    email: str
    role: str
    language: str
    created_at: datetime
    last_login_at: datetime | None
    disabled_at: datetime | None
    version: int
    two_step: bool


def create_user(email: str, password: str | None, role: str, actor: Actor = SYSTEM, language: str = "") -> CreatedUser:
    """Let a person in; without a password one is made up. Raises Invalid, Conflict (the address is taken)."""
    address = normalise(email)
    _check_role(role)
    chosen = passwords.generate() if password is None else password
    policy.check(chosen, address)
    user: dict[str, Any] = {
        "user_id": uuid7(),
        "email": seal(address),
        "email_index": email_index(address),
        "password_hash": passwords.hash_password(chosen),
        "role": role,
        "language": language,
    }
    with transaction() as tx:
        if not store.insert(tx, user):
            raise Conflict("somebody with this e-mail address is already here", code="email_taken")
        audit.record(tx, "user.create", ("user", user["user_id"]), after={"email": address, "role": role}, actor=actor)
    return CreatedUser(user["user_id"], address, role, chosen)


def list_users() -> list[UserRecord]:
    """Everybody, in the order they came."""
    with transaction(read_only=True) as tx:
        rows = store.every(tx)
    return [UserRecord(**{**row, "email": unseal(row["email"])}) for row in rows]


def change_role(user_id: UUID, role: str, actor: Actor = SYSTEM) -> None:
    """Give a person another role; it holds from their next click. Raises Invalid, NotFound, Conflict (last admin)."""
    _check_role(role)
    with transaction() as tx:
        if role != "admin":
            _keep_an_admin(tx, user_id)
        user = _locked(tx, user_id)
        if user["role"] != role:
            store.set_role(tx, user_id, role)
            audit.record(tx, "user.role", ("user", user_id), {"role": user["role"]}, {"role": role}, actor=actor)


def set_disabled(user_id: UUID, disabled: bool, actor: Actor = SYSTEM) -> None:
    """Shut a person out at once, or let them in again. Raises NotFound, Conflict (last admin)."""
    with transaction() as tx:
        if disabled:
            _keep_an_admin(tx, user_id)
        user = _locked(tx, user_id)
        if (user["disabled_at"] is not None) != disabled:
            store.set_disabled(tx, user_id, disabled)
            session_store.delete_of_user(tx, user_id)
            audit.record(tx, "user.disable" if disabled else "user.enable", ("user", user_id), actor=actor)


def change_own_password(
    user_id: UUID, present: str, wanted: str, keep_session: UUID, address: str, actor: Actor
) -> None:
    """Replace one's own password; one's other sessions and links end. Raises Invalid, PasswordError, TooMany."""
    with transaction(read_only=True) as tx:
        user = store.get(tx, user_id)
    if user is None:
        raise NotFound("there is no such user")
    attempt = attempts.begin(user["email_index"], address)
    if not passwords.verify(user["password_hash"], present):
        raise Invalid("the present password is not right", code="password_wrong")
    policy.check(wanted, unseal(user["email"]))
    hashed = passwords.hash_password(wanted)
    with transaction() as tx:
        attempt.succeeded(tx)
        store.set_password(tx, user_id, hashed)
        ended = session_store.delete_of_user(tx, user_id, keep=keep_session)
        reset_store.forget_of_user(tx, user_id)
        audit.record(tx, "user.change_password", ("user", user_id), after={"sessions": ended}, actor=actor)


def by_email(email: str) -> UserRecord:
    """The person with this address. Raises Invalid, NotFound."""
    with transaction(read_only=True) as tx:
        found = store.by_email(tx, email_index(normalise(email)))
    one = next((user for user in list_users() if found and user.user_id == found["user_id"]), None)
    if one is None:
        raise NotFound("nobody with this e-mail address may enter")
    return one


def unlock(user_id: UUID, actor: Actor = SYSTEM) -> int:
    """Let a person try again who, or in whose name somebody, failed too often. Returns how many failures counted."""
    with transaction() as tx:
        user = _locked(tx, user_id)
        forgotten = attempt_store.unlock(tx, user["email_index"])
        audit.record(tx, "user.unlock", ("user", user_id), {"attempts": forgotten}, {"attempts": 0}, actor)
    return forgotten


def set_language(user_id: UUID, language: str) -> None:
    """Remember the language a person chose."""
    with transaction() as tx:
        store.set_language(tx, user_id, language)


def normalise(email: str) -> str:
    """An e-mail address in the one spelling we keep. Raises Invalid."""
    try:
        return validate_email(email.strip(), check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError as error:
        raise Invalid(str(error), code="email_invalid", errors=[{"path": "email", "message": str(error)}]) from error


def email_index(address: str) -> str:
    """By what a person's address is found."""
    return blind_index("console-email", address)


def _locked(tx: Transaction, user_id: UUID) -> Row:
    user = store.get(tx, user_id, lock=True)
    if user is None:
        raise NotFound("there is no such user")
    return user


def _keep_an_admin(tx: Transaction, user_id: UUID) -> None:
    if store.lock_admins(tx) == {user_id}:
        raise Conflict("the last admin must stay an admin: make somebody else one first", code="last_admin")


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise Invalid(f"there is no role called {role!r}", errors=[{"path": "role", "message": "unknown role"}])
