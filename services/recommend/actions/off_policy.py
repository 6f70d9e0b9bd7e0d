"""What a slot would have earned with another ranking: answers that explored, asked once more as of their moment."""

import threading
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from services.recommend.actions import people, reports, shelf
from services.recommend.actions.asking import wish_of
from services.recommend.artifacts.models import BrokenArtifact
from services.recommend.domain.answering import answer, asks_for_country
from services.recommend.domain.catalogue import Catalogue
from services.recommend.domain.model import Model
from services.recommend.domain.off_policy import Round, judged
from services.recommend.domain.slots import Slot
from services.recommend.schemas.recommendations import RecommendationsIn
from services.recommend.store import models
from services.recommend.store import off_policy as store
from shared import shop
from shared.database import transaction
from shared.ids import made_at
from shared.problems import NotFound, TooMany

MOST_ANSWERS: Final = 10_000
_AT_ONCE: Final = 500
# One at a time a process, so that several of these do not crowd out the storefront's requests.
_turn: Final = threading.Lock()
_PATIENCE_S: Final = 5.0

_Rewards = dict[UUID, dict[int, float]]


def off_policy(name: str, asked: dict[str, Any]) -> dict[str, Any]:
    """The slot with `strategy` in place of its own, judged by `goal`. Raises NotFound, Invalid, TooMany."""
    catalogue, model = shelf.current()
    slot = shelf.slot(name)
    if slot is None:
        raise NotFound(f"there is no slot {name!r}")
    if not _turn.acquire(timeout=_PATIENCE_S):
        raise TooMany("another such report is being computed; ask again in a moment", retry_after=5)
    try:
        days, currency, answers, earned, champions = _read(name, asked)
        by_model = _by_model(answers, champions)
        rounds, left_out = [], 0
        for champion, some in by_model:
            try:
                then = _model(champion, model, catalogue)
            except BrokenArtifact:
                left_out += len(some)
                continue
            rounds += list(_rounds(slot, asked["strategy"], catalogue, then, some, earned))
    finally:
        _turn.release()
    return {
        "slot": name,
        "strategy": asked["strategy"],
        "goal": asked["goal"],
        "since": days[0],
        "until": days[1],
        "window_days": asked["window_days"],
        "currency": currency,
        "answers": len(rounds),
        "people": len({one.unit for one in rounds}),
        "left_out": left_out,
        **judged(rounds, asked["clip"]),
    }


def _read(
    slot: str, asked: dict[str, Any]
) -> tuple[tuple[date, date], str, list[store.Explored], _Rewards, list[models.Champion]]:
    with transaction(read_only=True, timeout_ms=30_000) as tx:
        settings = shop.read_shop(tx)
        days = reports.days_of(settings, asked["since"], asked["until"])
        span = reports.span_of(settings, slot, days, asked["window_days"])
        answers = store.explored_answers(tx, span, MOST_ANSWERS)
        earned: _Rewards = defaultdict(dict)
        for row in store.rewards(tx, span, [one.recommendation_id for one in answers], settings.currency):
            earned[row["recommendation_id"]][row["item_key"]] = float(row[asked["goal"]])
        return days, settings.currency, answers, earned, models.champions(tx)


def _by_model(
    answers: Sequence[store.Explored], champions: Sequence[models.Champion]
) -> list[tuple[models.Champion | None, list[store.Explored]]]:
    """The answers by the model that served when they were given: a later one has learned from what came of them."""
    began = [one.serving_since for one in champions]
    found: dict[int, list[store.Explored]] = defaultdict(list)
    for one in answers:
        found[bisect_right(began, made_at(one.recommendation_id)) - 1].append(one)
    return [(champions[place] if place >= 0 else None, some) for place, some in sorted(found.items())]


def _model(champion: models.Champion | None, current: Model | None, catalogue: Catalogue) -> Model | None:
    """The model itself; None where there was none yet. Raises BrokenArtifact where its files are gone."""
    if champion is None or (current is not None and current.version == champion.version):
        return None if champion is None else current
    if champion.path is None:
        raise BrokenArtifact(f"the files of {champion.version} are gone")
    return shelf.load(champion.version, champion.path, catalogue)


def _rounds(
    slot: Slot,
    strategy: str,
    catalogue: Catalogue,
    model: Model | None,
    answers: Sequence[store.Explored],
    earned: _Rewards,
) -> Iterator[Round]:
    for begin in range(0, len(answers), _AT_ONCE):
        some = answers[begin : begin + _AT_ONCE]
        wishes = [
            wish_of(
                RecommendationsIn(slot=slot.name, strategy=strategy, n=len(one.shown)),  # type: ignore[arg-type]
                catalogue,
                one.at,
                slot,
            )
            for one in some
        ]
        local = any(asks_for_country(wish) for wish in wishes)
        with transaction(read_only=True) as tx:
            visitors = people.visitors_then(tx, [(one.customer_id, one.at) for one in some], where_they_are=local)
        for one, wish, visitor in zip(some, wishes, visitors, strict=True):
            found = answer(model, catalogue, visitor, wish)
            yield Round(
                unit=(one.customer_id or one.recommendation_id).int,
                shown=frozenset(one.shown),
                explored=frozenset(one.explored),
                pool=one.pool,
                candidate=found.keys.tolist(),
                rewards=earned.get(one.recommendation_id, {}),
            )
