"""Forgotten passwords: a link by mail, or by an admin's hand; single use, half an hour."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from services.console.actions import attempts, passwords, two_step, users
from services.console.channels import mail
from services.console.channels.mail import MailError
from services.console.domain import passwords as policy
from services.console.domain import resets as rules
from services.console.store import resets as store
from services.console.store import sessions as session_store
from services.console.store import users as user_store
from shared import audit
from shared.audit import SYSTEM, VISITOR, Actor
from shared.crypto import blind_index, unseal
from shared.database import Row, Transaction, transaction
from shared.ids import uuid7
from shared.problems import Conflict, Invalid, NotFound, TooMany
from shared.shop import read_shop, shop
from shared.telemetry import get_logger

_log = get_logger(__name__)


@dataclass(frozen=True)
class Link:
    """A link with which one person may choose a password, once."""

    email: str
    address: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class Opened:
    """Whose link was opened, and whether a code is needed besides."""

    email: str
    two_step: bool


def by_mail() -> bool:
    """Whether this installation can mail links; else an admin makes them."""
    return mail.ready(shop())


def ask(email: str, address: str, language: str) -> None:
    """Have a link sent to `email`, if somebody has it. Does the same, and takes as long, for whoever it is.

    Beyond a few links for one person no more are sent, without a word. Raises TooMany for an address that asks for
    very many people.
    """
    try:
        index = users.email_index(users.normalise(email))
    except Invalid:
        index = users.email_index(email.strip().lower()[:320])
    now = datetime.now(UTC)
    subjects = {"reset_user": index, "reset_address": blind_index("address", address)}
    with transaction() as tx:
        full = attempts.closed(tx, subjects, now)
        if "reset_address" in full:
            raise TooMany("too many links were asked for from here; wait a quarter of an hour", retry_after=900)
        if full:
            return
        request = {"request_id": uuid7(), "email_index": index, "language": language, "now": now}
        store.ask(tx, request)
        audit.record(tx, "user.ask_reset", ("user", ""), after={"address": address}, actor=VISITOR)
        tx.nudge("console.send_resets")


def send_due() -> int:
    """Mail the links that were asked for. Returns how many mails left."""
    sent = 0
    while True:
        now = datetime.now(UTC)
        with transaction() as tx:
            request = store.take(tx, now, now + rules.TAKEN_FOR)
            if request is None:
                return sent
            user = user_store.by_email(tx, request["email_index"])
            if user is None or user["disabled_at"] is not None or rules.given_up(request["asked_at"], now):
                store.settle(tx, request["request_id"])
                continue
            link = _make(tx, user, now, SYSTEM)
        sent += _mail(request, user, link)


def link_for(user_id: UUID, actor: Actor = SYSTEM) -> Link:
    """A link for an admin to hand over; it is shown this once. Raises NotFound, Conflict (disabled)."""
    with transaction() as tx:
        user = user_store.get(tx, user_id, lock=True)
        if user is None:
            raise NotFound("there is no such user")
        if user["disabled_at"] is not None:
            raise Conflict("this user is disabled: enable them first", code="disabled")
        return _make(tx, user, datetime.now(UTC), actor)


def opened(token: str) -> Opened:
    """Whose link this is. Raises NotFound where it was used, has ended, or never was."""
    with transaction(read_only=True) as tx:
        user = _owner(tx, token)
    return Opened(unseal(user["email"]), user["totp_on_since"] is not None)


def finish(token: str, password: str, code: str, address: str) -> None:
    """Use a link: the password is replaced, every session of the person ends, and so do their other links.

    Raises NotFound, PasswordError, Invalid (`code_wrong`, where the second step is on), TooMany.
    """
    with transaction(read_only=True) as tx:
        user = _owner(tx, token)
    policy.check(password, unseal(user["email"]))
    attempt = attempts.begin(user["email_index"], address)
    hashed = passwords.hash_password(password)
    with transaction() as tx:
        user = _owner(tx, token, lock=True)
        if user["totp_on_since"] is not None and two_step.check(tx, user, code) is None:
            raise Invalid("this code is not right, or was used already", code="code_wrong")
        attempt.succeeded(tx)
        user_store.set_password(tx, user["user_id"], hashed)
        session_store.delete_of_user(tx, user["user_id"])
        store.forget_of_user(tx, user["user_id"])
        owner = Actor("user", str(user["user_id"]), unseal(user["email"]))
        audit.record(tx, "user.reset_password", ("user", user["user_id"]), after={"address": address}, actor=owner)


def _make(tx: Transaction, user: Row, now: datetime, actor: Actor) -> Link:
    token, expires_at = secrets.token_urlsafe(32), now + rules.LIFE
    link = {"token_hash": _hash(token), "user_id": user["user_id"], "now": now, "expires_at": expires_at}
    store.insert(tx, link)
    audit.record(tx, "user.reset_link", ("user", user["user_id"]), after={"until": expires_at}, actor=actor)
    return Link(unseal(user["email"]), mail.address(f"/reset/{token}"), expires_at)


def _mail(request: Row, user: Row, link: Link) -> int:
    try:
        with transaction(read_only=True) as tx:
            present = read_shop(tx)
        mail.send(
            link.email, rules.letter(user["language"] or request["language"], present.name, link.address), present
        )
    except MailError as error:
        _log.warning("reset_mail_failed", error=str(error), attempts=request["attempts"])
        with transaction() as tx:
            store.put_off(tx, request["request_id"], rules.next_try(request["attempts"], datetime.now(UTC)))
        return 0
    with transaction() as tx:
        store.settle(tx, request["request_id"])
    return 1


def _owner(tx: Transaction, token: str, *, lock: bool = False) -> Row:
    user_id = store.find(tx, _hash(token), datetime.now(UTC), lock=lock)
    user = user_store.get(tx, user_id, lock=lock) if user_id else None
    if user is None or user["disabled_at"] is not None:
        raise NotFound("this link was used already or is older than half an hour", code="link_ended")
    return user


def _hash(token: str) -> bytes:
    # 256 random bits, so a bare hash is enough.
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
