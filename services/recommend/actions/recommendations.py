"""Answering: a person's lines as of this moment in, the best items out, as ready-made JSON."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import chain
from typing import Any, Final, TypeVar

import msgspec
import orjson

from services.recommend.actions import people, shelf
from services.recommend.domain.catalogue import Catalogue
from services.recommend.domain.columns import PRODUCTS
from services.recommend.domain.expression_parser import parse
from services.recommend.domain.expressions import Circumstances
from services.recommend.domain.filters import Filter, PriceRange, Value
from services.recommend.domain.items import category_path
from services.recommend.domain.model import Model
from services.recommend.domain.pages import token
from services.recommend.domain.recommending import recommend, recommend_many, similar
from services.recommend.domain.slots import Slot
from services.recommend.domain.wishes import Answer, Reason, Shortfall, Wish
from services.recommend.schemas.recommendations import BatchIn, Choice, FilterIn, RecommendationsIn, SignatureIn
from shared import shop
from shared.auth import Principal
from shared.database import statement, transaction
from shared.ids import uuid7
from shared.problems import BadRequest, Invalid, NotFound

T = TypeVar("T")
_ITEM: Final = b'%b,"score":%.6g,"reason":"%b"}'
_USUAL_N: Final = 10
_REASONS: Final = {reason: reason.encode() for reason in Reason}
_requests: Final = msgspec.json.Decoder(RecommendationsIn)
_batches: Final = msgspec.json.Decoder(BatchIn)
_signatures: Final = msgspec.json.Decoder(SignatureIn)
# One answer of a process is made at a time: threads that compute at once only pass the interpreter to and fro.
_turn: Final = threading.Lock()


def answer(body: bytes, caller: Principal) -> bytes:
    """One person's recommendations, as JSON."""
    return answered(body, caller)[0]


def answered(
    body: bytes, caller: Principal, shown: Sequence[int] = (), n: int | None = None
) -> tuple[bytes, list[int]]:
    """One person's recommendations without the items `shown` already, and what has been shown with them (item keys)."""
    asked = read(_requests, body)
    catalogue, model = shelf.current()
    now = shop.business_now()
    wish = _wish(asked, catalogue, now, shown, n)
    with statement() as tx:
        visitor, personal = people.visitor(tx, asked, caller, now)
    with _turn:
        found = recommend(model, catalogue, visitor, wish)
        shown = [*shown, *found.keys.tolist()]
        following = None if found.shortfall else token(body, shown)
        return _reply(found, catalogue, model, personal=personal, slot=asked.slot, following=following), shown


def answer_batch(body: bytes) -> bytes:
    """Recommendations for many customers, as JSON: always n items each, or a stated shortfall."""
    asked = read(_batches, body)
    catalogue, model = shelf.current()
    wish = Wish(asked.n, asked.exclude_seen, catalogue.keys_of(asked.exclude), filter_of(asked.filter))
    now = shop.business_now()
    customers = list(dict.fromkeys(asked.customer_ids))
    with transaction(read_only=True) as tx:
        visitors = people.visitors(tx, customers, now)
    found = recommend_many(model, catalogue, visitors, wish)
    answers = {str(customer): one for customer, one in zip(customers, found, strict=True)}
    results = b",".join(b'"%s":[%s]' % (id_.encode(), _items(found, catalogue)) for id_, found in answers.items())
    shortfalls = {id_: _shortfall(found.shortfall) for id_, found in answers.items() if found.shortfall}
    return b'{"recommendation_id":"%s","model_version":%s,"results":{%s},"shortfalls":%s}' % (
        str(uuid7()).encode(),
        orjson.dumps(model and model.version),
        results,
        orjson.dumps(shortfalls),
    )


def answer_similar(item_id: str, n: int) -> bytes:
    """Items like one item, as JSON. Raises NotFound."""
    catalogue, model = shelf.current()
    key = catalogue.key_of(item_id)
    if key is None:
        raise NotFound(f"there is no item {item_id!r}")
    return _reply(similar(model, catalogue, key, n), catalogue, model, personal=False)


def signature(body: bytes) -> str:
    """The shop's signature over one person's id."""
    return people.sign(read(_signatures, body))


def filter_of(given: FilterIn) -> Filter:
    """The conditions of a request as the domain's filter."""
    price = None
    if given.price_minor is not None:
        price = PriceRange(given.currency or shop.shop().currency, given.price_minor.gte, given.price_minor.lte)
    return Filter(
        categories=tuple(category_path(str(name)) for name in _values(given.category)),
        brands=tuple(str(name) for name in _values(given.brand)),
        price=price,
        attributes=tuple((name, tuple(_values(chosen))) for name, chosen in given.attributes.items()),
    )


def _values(given: Value | Choice | None) -> Iterable[Value]:
    if given is None:
        return ()
    if not isinstance(given, Choice):
        return (given,)
    if (given.eq is None) == (given.any_of is None):
        raise Invalid('a condition is a value, {"eq": value} or {"in": [values]}', code="bad_filter")
    return given.any_of if given.any_of is not None else (given.eq,)  # type: ignore[return-value]


def _wish(asked: RecommendationsIn, catalogue: Catalogue, now: datetime, shown: Sequence[int], n: int | None) -> Wish:
    looked_at = asked.context.item_id
    slot = None if asked.slot is None else _slot(asked.slot)
    where = [] if slot is None or slot.where is None else [slot.where]
    if asked.where:
        where.append(parse(asked.where))
    seen = asked.exclude_seen
    return Wish(
        n=n or asked.n or (slot.n if slot else _USUAL_N),
        exclude_seen=seen if seen is not None else slot.exclude.bought if slot else True,
        exclude=[*catalogue.keys_of(asked.exclude), *shown] if shown else catalogue.keys_of(asked.exclude),
        only=filter_of(asked.filter),
        looked_at=None if looked_at is None else catalogue.key_of(looked_at),
        cart=catalogue.keys_of(asked.context.cart),
        near=category_path(asked.context.category) or None,
        kinds=_kinds(asked, slot),
        where=tuple(where),
        at=Circumstances(now.timestamp(), shop.shop().currency, asked.context.country),
    )


def _slot(name: str) -> Slot:
    found = shelf.slot(name)
    if found is None:
        raise Invalid(f"there is no slot {name!r}", code="unknown_slot")
    return found


def _kinds(asked: RecommendationsIn, slot: Slot | None) -> frozenset[str]:
    if asked.kinds is not None:
        return frozenset(asked.kinds)
    return PRODUCTS if slot is None else slot.kinds


def _reply(
    found: Answer,
    catalogue: Catalogue,
    model: Model | None,
    *,
    personal: bool,
    slot: str | None = None,
    following: str | None = None,
) -> bytes:
    return (
        b'{"recommendation_id":"%s","strategy":"%s","model_version":%s,"personal":%s,"items":[%s],"shortfall":%s,'
        b'"slot":%s,"next":%s}'
        % (
            str(uuid7()).encode(),
            found.strategy.encode(),
            orjson.dumps(model and model.version),
            b"true" if personal else b"false",
            _items(found, catalogue),
            orjson.dumps(found.shortfall and _shortfall(found.shortfall)),
            orjson.dumps(slot),
            b"null" if following is None else b'"%b"' % following.encode(),
        )
    )


def _items(found: Answer, catalogue: Catalogue) -> bytes:
    """The items as members of a JSON list, formatted all at once."""
    rendered = map(catalogue.rendered, found.keys.tolist())
    reasons = map(_REASONS.__getitem__, found.reasons)
    parts = chain.from_iterable(zip(rendered, found.scores.tolist(), reasons, strict=True))
    return b",".join((_ITEM,) * len(found.keys)) % tuple(parts)


def _shortfall(found: Shortfall) -> dict[str, Any]:
    return {"reason": found.reason, **asdict(found)}


def read(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """The request that a body is. Raises BadRequest, Invalid."""
    try:
        return decoder.decode(body or b"{}")
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$")
        path = place.rstrip("`").lstrip(".")
        raise Invalid(
            "the request does not fit its schema", code="schema", errors=[{"path": path, "message": message}]
        ) from error
    except msgspec.DecodeError as error:
        raise BadRequest(f"the body is not JSON: {error}", code="not_json") from error
