"""For whom: which lines may be used for an answer, given who asks and what they can prove.

Servers, services and people of the shop may name anybody. A storefront key is public: with a customer_id or user_id it
must send the shop's signature over that id to use the history of that person; a wrong signature is refused, without
one the answer is not personal. With an anonymous_id it gets that visitor's own session, never the history of the
customer the visitor has become.

A signature carries when it ends ("1795000000.<hex>"); one without an end is as earlier releases gave them, and is only
given to a server that asks for it.
"""

import hashlib
import hmac
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import numpy as np

from services.recommend.domain.tastes import EMPTY, Lines
from services.recommend.domain.wishes import Visitor
from services.recommend.schemas.recommendations import RecommendationsIn, SignatureIn
from services.recommend.store import people as store
from services.recommend.store.models import EPOCH
from shared import crypto
from shared.auth import Principal
from shared.database import Transaction
from shared.problems import FieldError, Forbidden, Invalid

_SIGNING: Final = "customer-signature"
_MICROSECONDS_A_DAY: Final = 86_400_000_000


def sign(given: SignatureIn) -> str:
    """The shop's signature over a customer_id or user_id, for its storefront to send along. Raises Invalid."""
    if (given.customer_id is None) == (given.user_id is None):
        raise Invalid("name exactly one of customer_id and user_id")
    expires = None if given.expires_in is None else int(time.time()) + given.expires_in
    return _signature(given.customer_id, given.user_id, expires)


def visitor(
    tx: Transaction, asked: RecommendationsIn, caller: Principal, now: datetime, *, where_they_are: bool = False
) -> tuple[Visitor, bool]:
    """Whom to answer, and whether from the person's whole history. Raises Invalid, Forbidden.

    The country of somebody with a history is looked up only where it is needed (`where_they_are`).
    """
    if sum(one is not None for one in (asked.customer_id, asked.user_id, asked.anonymous_id)) > 1:
        paths = ("customer_id", "user_id", "anonymous_id")
        errors = [FieldError(path=path, message="one of several ids") for path in paths if getattr(asked, path)]
        raise Invalid("name one person: customer_id, user_id or anonymous_id", errors=errors)
    if not caller.trusted and asked.anonymous_id is not None:
        return Visitor(_of_session(tx, asked.anonymous_id, now), asked.context.country), False
    if not caller.trusted and not _is_signed(asked):
        return Visitor(EMPTY, asked.context.country), False
    customer = _customer(tx, asked)
    if customer is None:
        return Visitor(EMPTY, asked.context.country), caller.trusted
    lines, customer = _of_customer(tx, customer, now)
    country = asked.context.country
    if country is None and (where_they_are or lines is EMPTY):
        country = store.countries_of(tx, [customer]).get(customer)
    return Visitor(lines, country), True


def visitors(
    tx: Transaction, customer_ids: Sequence[UUID], now: datetime, *, where_they_are: bool = False
) -> list[Visitor]:
    """Many customers, also by ids of customers that have been merged away."""
    present = store.customers_of(tx, customer_ids)
    customers = [present.get(given, given) for given in customer_ids]
    found = store.lines_of_customers(tx, set(customers))
    of_whom = set(customers) if where_they_are else set(customers) - found.keys()
    countries = store.countries_of(tx, of_whom) if of_whom else {}
    return [
        Visitor(_lines(found[customer], now) if customer in found else EMPTY, countries.get(customer))
        for customer in customers
    ]


def visitors_then(
    tx: Transaction, moments: Sequence[tuple[UUID | None, datetime]], *, where_they_are: bool = False
) -> list[Visitor]:
    """Customers as they were known just before a moment each; None: somebody of whom nothing is known."""
    customers = {customer for customer, _ in moments if customer is not None}
    found = store.lines_of_customers(tx, customers)
    countries = store.countries_of(tx, customers if where_they_are else customers - found.keys())
    return [
        Visitor(_lines(found[customer].before(at), at) if customer in found else EMPTY, countries.get(customer))
        if customer is not None
        else Visitor()
        for customer, at in moments
    ]


def _customer(tx: Transaction, asked: RecommendationsIn) -> UUID | None:
    if asked.user_id is not None:
        return store.customer_behind(tx, crypto.blind_index("user_id", asked.user_id))
    if asked.anonymous_id is not None:
        return store.customer_behind(tx, crypto.blind_index("anonymous_id", asked.anonymous_id))
    return asked.customer_id


def _of_customer(tx: Transaction, given: UUID, now: datetime) -> tuple[Lines, UUID]:
    """`given` may be an identity, or a customer since merged into another: then the lines are found by the map."""
    found, customer = store.lines_of_customer(tx, given), given
    if found is None:
        customer = store.customers_of(tx, [given]).get(given, given)
        found = store.lines_of_customer(tx, customer) if customer != given else None
    return (EMPTY if found is None else _lines(found, now)), customer


def _of_session(tx: Transaction, anonymous_id: str, now: datetime) -> Lines:
    identity = store.identity_of(tx, crypto.blind_index("anonymous_id", anonymous_id))
    found = None if identity is None else store.lines_of_identity(tx, identity)
    return EMPTY if found is None else _lines(found, now)


def _lines(found: store.PersonLines, now: datetime) -> Lines:
    instant = (now - EPOCH).total_seconds() * 1_000_000
    ages = ((instant - found.occurred_at) / _MICROSECONDS_A_DAY).astype(np.float32)
    return Lines(found.keys, found.kinds, found.quantities, ages)


def _is_signed(asked: RecommendationsIn) -> bool:
    if asked.signature is None:
        return False
    head, dot, _ = asked.signature.partition(".")
    expires = int(head) if dot and head.isascii() and head.isdigit() else None
    own = _signature(asked.customer_id, asked.user_id, expires)
    if not hmac.compare_digest(asked.signature.encode("utf-8", "replace"), own.encode()):
        raise Forbidden("the signature is not the shop's over this id", code="bad_signature")
    if expires is not None and expires < time.time():
        raise Forbidden("the signature over this id has expired; let the shop sign it again", code="signature_expired")
    return True


def _signature(customer_id: UUID | None, user_id: str | None, expires: int | None) -> str:
    text = f"customer_id:{customer_id}" if customer_id is not None else f"user_id:{user_id}"
    if expires is not None:
        text = f"expires:{expires}:{text}"
    code = hmac.new(crypto.signing_key(_SIGNING), text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
    return code if expires is None else f"{expires}.{code}"
