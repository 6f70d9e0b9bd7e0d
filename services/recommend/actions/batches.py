"""Answers for many customers at once, as campaigns need them: each as the customer would get it alone."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
import orjson

from services.recommend.actions import people, served, shelf, telling
from services.recommend.actions.asking import wish_of
from services.recommend.actions.recommendations import read
from services.recommend.actions.served import Serving
from services.recommend.domain.answering import answer, answer_many, asks_for_country
from services.recommend.domain.catalogue import Catalogue
from services.recommend.domain.model import Model
from services.recommend.domain.slots import Slot
from services.recommend.domain.wishes import Answer, Visitor, Wish
from services.recommend.schemas.recommendations import BatchIn
from shared import shop
from shared.database import transaction
from shared.ids import uuid7

_batches: Final = msgspec.json.Decoder(BatchIn)
_REPLY: Final = (
    b'{"recommendation_id":"%s","model_version":%s,"results":{%s},"shortfalls":%s,"recommendation_ids":%s,'
    b'"experiments":%s}'
)


def answer_batch(body: bytes) -> bytes:
    """Recommendations for many customers, as JSON: always n items each, or a stated shortfall."""
    asked = read(_batches, body)
    catalogue, model = shelf.current()
    customers = list(dict.fromkeys(asked.customer_ids))
    servings = served.begin_many(asked, customers)
    world = _World(catalogue, model, shop.business_now())
    groups = _groups(asked, servings, world)
    found = _answers(groups, _visitors(groups, customers, world.now), servings, world)
    served.remember_many(list(zip(servings, found, strict=True)))
    answers = dict(zip(map(str, customers), found, strict=True))
    clock = world.now, shop.shop().time_zone
    told = {id_: telling.items(one, catalogue, clock) for id_, one in answers.items()}
    of_slot = dict(zip(answers, servings, strict=True)) if asked.slot is not None else {}
    return _REPLY % (
        str(uuid7()).encode(),
        orjson.dumps(model and model.version),
        b",".join(b'"%s":[%s]' % (id_.encode(), items) for id_, items in told.items()),
        orjson.dumps({id_: telling.shortfall(one.shortfall) for id_, one in answers.items() if one.shortfall}),
        orjson.dumps({id_: one.recommendation_id for id_, one in of_slot.items()}),
        orjson.dumps({id_: telling.experiment(one.experiment) for id_, one in of_slot.items() if one.experiment}),
    )


class _World(NamedTuple):
    """What all answers of a batch are made from."""

    catalogue: Catalogue
    model: Model | None
    now: datetime


class _Group(NamedTuple):
    """Customers, by their places in the request, who have the slot in the same variant: they are answered together."""

    slot: Slot | None
    wish: Wish
    places: list[int]


def _groups(asked: BatchIn, servings: Sequence[Serving], world: _World) -> list[_Group]:
    variants: dict[tuple[str, str] | None, list[int]] = {}
    for place, serving in enumerate(servings):
        variants.setdefault(serving.experiment, []).append(place)
    slots = [(servings[places[0]].slot, places) for places in variants.values()]
    return [_Group(slot, wish_of(asked, world.catalogue, world.now, slot), places) for slot, places in slots]


def _visitors(groups: Sequence[_Group], customers: Sequence[UUID], now: datetime) -> list[list[Visitor]]:
    """Those of each group. All else is done outside: it takes long, and may read settings or counts of its own."""
    with transaction(read_only=True) as tx:
        return [
            people.visitors(tx, [customers[place] for place in places], now, where_they_are=asks_for_country(wish))
            for _, wish, places in groups
        ]


def _answers(
    groups: Sequence[_Group], visitors: Sequence[list[Visitor]], servings: Sequence[Serving], world: _World
) -> list[Answer]:
    """The answers in the order of the customers."""
    catalogue, model, _ = world
    found: dict[int, Answer] = {}
    for (slot, wish, places), some in zip(groups, visitors, strict=True):
        if slot is None:
            answers = answer_many(model, catalogue, some, wish)
        else:
            wishes = [served.explored_by(servings[place], wish, catalogue) for place in places]
            answers = [answer(model, catalogue, *one) for one in zip(some, wishes, strict=True)]
        found.update(zip(places, answers, strict=True))
    return [found[place] for place in range(len(servings))]
