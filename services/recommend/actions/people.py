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
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import numpy as np

from services.recommend.domain.interactions import Entry, lines_of
from services.recommend.domain.tastes import EMPTY, Lines
from services.recommend.domain.wishes import Visitor
from services.recommend.schemas.recommendations import RecommendationsIn, SignatureIn
from services.recommend.store import people as store
from services.recommend.store.models import EPOCH
from services.recommend.store.people import Known
from shared import crypto
from shared.auth import Principal
from shared.database import Transaction
from shared.problems import FieldError, Forbidden, Invalid

_SIGNING: Final = "customer-signature"
_A_DAY: Final = timedelta(days=1)
_MICROSECONDS_A_DAY: Final = 86_400_000_000
_NOTHING: Final = Known(None, [])

KeyOf = Callable[[str], int | None]


def sign(given: SignatureIn) -> str:
    """The shop's signature over a customer_id or user_id, for its storefront to send along. Raises Invalid."""
    if (given.customer_id is None) == (given.user_id is None):
        raise Invalid("name exactly one of customer_id and user_id")
    expires = None if given.expires_in is None else int(time.time()) + given.expires_in
    return _signature(given.customer_id, given.user_id, expires)


def visitor(
    tx: Transaction,
    asked: RecommendationsIn,
    caller: Principal,
    now: datetime,
    key_of: KeyOf,
    *,
    where_they_are: bool = False,
) -> tuple[Visitor, bool]:
    """Whom to answer, and whether from the person's whole history. Raises Invalid, Forbidden.

    An event counts as soon as its sender has been told that it is kept, whether or not it has been read yet; `key_of`
    an item says what it is about. The country of somebody with a history is looked up only where it is needed
    (`where_they_are`).
    """
    if sum(one is not None for one in (asked.customer_id, asked.user_id, asked.anonymous_id)) > 1:
        paths = ("customer_id", "user_id", "anonymous_id")
        errors = [FieldError(path=path, message="one of several ids") for path in paths if getattr(asked, path)]
        raise Invalid("name one person: customer_id, user_id or anonymous_id", errors=errors)
    country = asked.context.country
    if not caller.trusted and asked.anonymous_id is not None:
        return Visitor(_lines_of(_of_session(tx, asked.anonymous_id), now, key_of), country), False
    if not caller.trusted and not _is_signed(asked):
        return Visitor(EMPTY, country), False
    known, customer = _of_person(tx, asked)
    lines = _lines_of(known, now, key_of)
    if country is None and customer is not None and (where_they_are or lines is EMPTY):
        country = store.countries_of(tx, [customer]).get(customer)
    return Visitor(lines, country), caller.trusted or customer is not None or bool(known.newest)


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


def _of_person(tx: Transaction, asked: RecommendationsIn) -> tuple[Known, UUID | None]:
    if asked.customer_id is not None:
        return _of_customer(tx, asked.customer_id)
    if asked.user_id is not None:
        customer, newest = _behind(tx, "user_id", asked.user_id)
    elif asked.anonymous_id is not None:
        customer, newest = _behind(tx, "anonymous_id", asked.anonymous_id)
    else:
        return _NOTHING, None
    return (Known(None, newest), None) if customer is None else _of_customer(tx, customer)


def _of_customer(tx: Transaction, given: UUID) -> tuple[Known, UUID]:
    """`given` may be an identity, or a customer since merged into another: then the lines are found by the map."""
    known, customer = store.of_customer(tx, given), given
    if known == _NOTHING:
        customer = store.customers_of(tx, [given]).get(given, given)
        known = store.of_customer(tx, customer) if customer != given else known
    return known, customer


def _of_session(tx: Transaction, anonymous_id: str) -> Known:
    alias = crypto.blind_index("anonymous_id", anonymous_id)
    identity = store.identity_of(tx, alias)
    if identity is None:
        newest = store.newest_under(tx, "anonymous_id", anonymous_id)
        identity = newest[-1].identity_id if newest else store.identity_of(tx, alias)
    return Known(None, newest) if identity is None else store.of_identity(tx, identity)


def _behind(tx: Transaction, kind: str, value: str) -> tuple[UUID | None, list[Entry]]:
    """Which customer an id of the shop's stands for, and while it is none yet, what has come under this id.

    We learn ids from the events we read. Of one we do not know there may be some that we have not.
    """
    alias = crypto.blind_index(kind, value)
    customer = store.customer_behind(tx, alias)
    if customer is not None:
        return customer, []
    newest = store.newest_under(tx, kind, value)
    if newest:
        return newest[-1].customer_id, newest
    return store.customer_behind(tx, alias), []  # they may have been read between the two looks


def _lines_of(known: Known, now: datetime, key_of: KeyOf) -> Lines:
    lines = EMPTY if known.lines is None else _lines(known.lines, now)
    return lines + _newest(known.newest, now, key_of) if known.newest else lines


def _newest(entries: Sequence[Entry], now: datetime, key_of: KeyOf) -> Lines:
    """Lines of events that have not been read yet. Of an order told twice both count until it is."""
    lines = [line for entry in entries for line in lines_of(entry)]
    found = [(key, line) for line in lines if (key := key_of(line.product_id)) is not None]
    return Lines(
        np.array([key for key, _ in found], dtype=np.int64),
        np.array([line.kind for _, line in found], dtype=np.int16),
        np.array([line.quantity for _, line in found], dtype=np.float32),
        np.array([(now - line.occurred_at) / _A_DAY for _, line in found], dtype=np.float32),
    )


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
