"""Answering: a person's lines as of this moment in, the best items out, as ready-made JSON."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple, TypeVar

import msgspec
import orjson

from services.recommend.actions import people, served, shelf, telling
from services.recommend.actions.asking import wish_of
from services.recommend.domain.answering import answer as answer_one
from services.recommend.domain.answering import asks_for_country
from services.recommend.domain.catalogue import Catalogue
from services.recommend.domain.model import Model
from services.recommend.domain.pages import token
from services.recommend.domain.recommending import similar
from services.recommend.domain.slots import Slot
from services.recommend.domain.wishes import Answer
from services.recommend.schemas.recommendations import RecommendationsIn, SignatureIn
from shared import shop
from shared.auth import Principal
from shared.database import statement
from shared.ids import uuid7
from shared.problems import BadRequest, Invalid, NotFound

T = TypeVar("T")
_requests: Final = msgspec.json.Decoder(RecommendationsIn)
_signatures: Final = msgspec.json.Decoder(SignatureIn)


def answer(body: bytes, caller: Principal) -> bytes:
    """One person's recommendations, as JSON."""
    return answered(body, caller)[0]


def preview(slot: Slot, body: bytes, caller: Principal) -> bytes:
    """What one person would be shown if `slot`, kept or not, were as it is given here, as JSON."""
    return answered(body, caller, slot=slot)[0]


def answered(
    body: bytes, caller: Principal, shown: Sequence[int] = (), n: int | None = None, slot: Slot | None = None
) -> tuple[bytes, list[int]]:
    """One person's recommendations without the items `shown` already, and what has been shown with them (item keys)."""
    asked = read(_requests, body)
    catalogue, model = shelf.current()
    now = shop.business_now()
    # A preview is no answer: nobody saw it, and nothing of it is kept.
    serving = served.begin(asked) if slot is None else served.Serving(uuid7(), slot)
    wish = served.explored_by(serving, wish_of(asked, catalogue, now, serving.slot), catalogue)
    if shown or n:
        wish = replace(wish, n=n or wish.n, exclude=[*wish.exclude, *shown])
    with statement() as tx:
        visitor, personal = people.visitor(
            tx, asked, caller, now, catalogue.key_of, where_they_are=asks_for_country(wish)
        )
    zone = shop.shop().time_zone
    found = answer_one(model, catalogue, visitor, wish)
    shown = [*shown, *found.keys.tolist()]
    following = None if found.shortfall else token(body, shown)
    told = _Told(personal, asked.slot, following, serving)
    reply = _reply(found, catalogue, model, (now, zone), told)
    if slot is None:
        served.remember(serving, found)
    return reply, shown


def answer_similar(item_id: str, n: int) -> bytes:
    """Items like one item, as JSON. Raises NotFound."""
    catalogue, model = shelf.current()
    key = catalogue.key_of(item_id)
    if key is None:
        raise NotFound(f"there is no item {item_id!r}")
    return _reply(similar(model, catalogue, key, n), catalogue, model, _clock(), _Told())


def _clock() -> telling.Clock:
    return shop.business_now(), shop.shop().time_zone


def signature(body: bytes) -> str:
    """The shop's signature over one person's id."""
    return people.sign(read(_signatures, body))


_REPLY: Final = (
    b'{"recommendation_id":"%s","strategy":"%s","model_version":%s,"personal":%s,"items":[%s],"shortfall":%s,'
    b'"slot":%s,"next":%s,"strategies":%s,"experiment":%s,'
    b'"currency":"%s"}'
)


class _Told(NamedTuple):
    """What a reply says beside its items. `following`: the token of the next page."""

    personal: bool = False
    slot: str | None = None
    following: str | None = None
    serving: served.Serving | None = None


def _reply(
    found: Answer,
    catalogue: Catalogue,
    model: Model | None,
    clock: telling.Clock,
    told: _Told,
) -> bytes:
    serving = told.serving or served.Serving(uuid7())
    return _REPLY % (
        str(serving.recommendation_id).encode(),
        found.strategy.encode(),
        orjson.dumps(model and model.version),
        b"true" if told.personal else b"false",
        telling.items(found, catalogue, clock),
        orjson.dumps(found.shortfall and telling.shortfall(found.shortfall)),
        orjson.dumps(told.slot),
        b"null" if told.following is None else b'"%b"' % told.following.encode(),
        orjson.dumps(telling.strategies(found)),
        orjson.dumps(serving.experiment and telling.experiment(serving.experiment)),
        shop.shop().currency.encode(),
    )


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
