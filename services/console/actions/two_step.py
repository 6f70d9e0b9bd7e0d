"""The second step of the log-in: set up, asked for, turned off; recovery codes; of which roles it is required."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import pyotp

from services.console.actions import attempts, passwords
from services.console.domain import two_step as rules
from services.console.domain.permissions import ROLES
from services.console.store import sessions as session_store
from services.console.store import two_step as store
from services.console.store import users as user_store
from shared import audit
from shared.audit import SYSTEM, Actor
from shared.crypto import blind_index, seal, unseal
from shared.database import Row, Transaction, transaction
from shared.problems import Conflict, Invalid, NotFound
from shared.shop import read_shop

RESET_NOTICE: Final = "two_step_reset"


@dataclass(frozen=True)
class State:
    """How far a person's second step is. `secret` and `uri`: of one that waits to be confirmed, for the owner only."""

    on_since: datetime | None
    codes_left: int
    secret: str | None = field(default=None, repr=False)
    uri: str | None = field(default=None, repr=False)


def state(user_id: UUID) -> State:
    """How far it is. Raises NotFound."""
    with transaction(read_only=True) as tx:
        user = _get(tx, user_id)
        if user["totp_on_since"] is not None or not user["totp_secret"]:
            return State(user["totp_on_since"], store.codes_left(tx, user_id))
        secret = unseal(user["totp_secret"])
        return State(None, 0, secret, rules.enrolment(secret, unseal(user["email"]), read_shop(tx).name))


def begin(user_id: UUID) -> None:
    """Make a secret for an authenticator; it counts once a code of it has come back."""
    with transaction() as tx:
        store.propose(tx, user_id, seal(pyotp.random_base32()))


def confirm(user_id: UUID, code: str, keep_session: UUID, address: str, actor: Actor) -> list[str]:
    """Turn the second step on with a first code; other sessions end. Returns the recovery codes, shown this once.

    Raises Invalid (`code_wrong`), Conflict (there is nothing to confirm), TooMany.
    """
    with transaction(read_only=True) as tx:
        user = _get(tx, user_id)
    attempt = attempts.begin(user["email_index"], address)
    with transaction() as tx:
        user = _get(tx, user_id, lock=True)
        if user["totp_on_since"] is not None or not user["totp_secret"]:
            raise Conflict("there is no set-up to confirm", code="nothing_to_confirm")
        if _check_device(tx, user, code) is None:
            raise _wrong_code()
        attempt.succeeded(tx)
        store.turn_on(tx, user_id)
        session_store.delete_of_user(tx, user_id, keep=keep_session)
        audit.record(tx, "user.two_step_on", ("user", user_id), actor=actor)
        return _new_codes(tx, user_id)


def check(tx: Transaction, user: Row, code: str) -> str | None:
    """What `code` is: "code" of the authenticator, "recovery code", or None where it is none or was used before."""
    found = _check_device(tx, user, code)
    if found is None and store.use_code(tx, user["user_id"], _code_hash(user["user_id"], code)):
        left = store.codes_left(tx, user["user_id"])
        owner = Actor("user", str(user["user_id"]), unseal(user["email"]))
        audit.record(
            *(tx, "user.recovery_code_used", ("user", user["user_id"])), after={"codes_left": left}, actor=owner
        )
        found = "recovery code"
    return found


def turn_off(user_id: UUID, password: str, code: str, address: str, actor: Actor) -> None:
    """Log in by password alone again. Raises Invalid (`password_wrong`, `code_wrong`), Conflict, TooMany."""
    attempt = _prove(user_id, password, address)
    with transaction() as tx:
        _use(tx, user_id, code)
        attempt.succeeded(tx)
        store.turn_off(tx, user_id)
        audit.record(tx, "user.two_step_off", ("user", user_id), actor=actor)


def renew_codes(user_id: UUID, password: str, code: str, address: str, actor: Actor) -> list[str]:
    """New recovery codes, the old ones end. Raises as turn_off()."""
    attempt = _prove(user_id, password, address)
    with transaction() as tx:
        _use(tx, user_id, code)
        attempt.succeeded(tx)
        audit.record(tx, "user.recovery_codes", ("user", user_id), actor=actor)
        return _new_codes(tx, user_id)


def reset(user_id: UUID, actor: Actor = SYSTEM) -> None:
    """Take a lost second step off a person; sessions end, and they are told on the next log-in. Raises NotFound."""
    with transaction() as tx:
        _get(tx, user_id, lock=True)
        store.turn_off(tx, user_id)
        session_store.delete_of_user(tx, user_id)
        user_store.tell(tx, user_id, RESET_NOTICE)
        audit.record(tx, "user.two_step_reset", ("user", user_id), actor=actor)


def required_roles() -> list[str]:
    """The roles that must log in with two steps."""
    with transaction(read_only=True) as tx:
        return store.required_roles(tx)


def require_of(roles: Sequence[str], actor: Actor = SYSTEM) -> None:
    """Require the second step of these roles: who lacks it sets it up before anything else. Raises Invalid."""
    wanted = [role for role in ROLES if role in roles]
    if len(wanted) != len(set(roles)):
        raise Invalid("there is no such role", errors=[{"path": "two_step_roles", "message": "unknown role"}])
    with transaction() as tx:
        before = store.required_roles(tx, lock=True)
        store.require_of(tx, wanted)
        audit.record(
            *(tx, "access.update", ("access", "log-in"), {"two_step_roles": before}, {"two_step_roles": wanted}), actor
        )


def _prove(user_id: UUID, password: str, address: str) -> attempts.Attempt:
    with transaction(read_only=True) as tx:
        user = _get(tx, user_id)
    attempt = attempts.begin(user["email_index"], address)
    if not passwords.verify(user["password_hash"], password):
        raise Invalid("the password is not right", code="password_wrong")
    return attempt


def _use(tx: Transaction, user_id: UUID, code: str) -> None:
    user = _get(tx, user_id, lock=True)
    if user["totp_on_since"] is None:
        raise Conflict("two-step log-in is not on", code="two_step_off")
    if check(tx, user, code) is None:
        raise _wrong_code()


def _check_device(tx: Transaction, user: Row, code: str) -> str | None:
    step = rules.step_of(unseal(user["totp_secret"]), code, datetime.now(UTC))
    return "code" if step is not None and store.take_step(tx, user["user_id"], step) else None


def _new_codes(tx: Transaction, user_id: UUID) -> list[str]:
    letters = len(rules.RECOVERY_ALPHABET)
    codes = [
        rules.recovery_code([secrets.randbelow(letters) for _ in range(rules.RECOVERY_LENGTH)])
        for _ in range(rules.RECOVERY_CODES)
    ]
    store.replace_codes(tx, user_id, [_code_hash(user_id, code) for code in codes])
    return codes


def _code_hash(user_id: UUID, code: str) -> str:
    return blind_index("recovery-code", f"{user_id}:{rules.compact(code)}")


def _wrong_code() -> Invalid:
    return Invalid("this code is not right, or was used already", code="code_wrong")


def _get(tx: Transaction, user_id: UUID, *, lock: bool = False) -> Row:
    user = user_store.get(tx, user_id, lock=lock)
    if user is None:
        raise NotFound("there is no such user")
    return user
