"""The way to an answer: the plain one, or by a plan."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from services.recommend.domain.arranging import arrange
from services.recommend.domain.catalogue import Catalogue
from services.recommend.domain.expressions import depends_on
from services.recommend.domain.model import Model
from services.recommend.domain.recommending import recommend_many
from services.recommend.domain.strategies import Strategy
from services.recommend.domain.wishes import Answer, Visitor, Wish

_LOCAL: Final = frozenset({Strategy.TRENDING, Strategy.POPULAR})


def answer(model: Model | None, catalogue: Catalogue, visitor: Visitor, wish: Wish) -> Answer:
    """Exactly `wish.n` items for a visitor, or a stated shortfall."""
    return answer_many(model, catalogue, [visitor], wish)[0]


def answer_many(model: Model | None, catalogue: Catalogue, visitors: Sequence[Visitor], wish: Wish) -> list[Answer]:
    """The same for many people with one wish, each exactly as alone."""
    if wish.plan is not None:
        return [arrange(model, catalogue, visitor, wish, wish.plan) for visitor in visitors]
    if not asks_for_country(wish):
        return recommend_many(model, catalogue, visitors, wish)
    return [recommend_many(model, catalogue, [one], _where_they_are(wish, one))[0] for one in visitors]


def asks_for_country(wish: Wish) -> bool:
    """Whether a condition asks where the visitor is, or what trends there, which the request did not say."""
    if wish.at.country is not None:
        return False
    boosts = () if wish.plan is None else tuple(boost.where for boost in wish.plan.boosts)
    local = wish.plan is not None and not _LOCAL.isdisjoint(wish.plan.chain)
    return local or any(depends_on(one)[1] for one in (*wish.where, *boosts))


def _where_they_are(wish: Wish, visitor: Visitor) -> Wish:
    return replace(wish, at=wish.at._replace(country=visitor.country))
