"""Which variant of a slot somebody gets, and the id that says so; items that hardly anybody has seen.

Nothing is written for an answer, but the probability of what it explored.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from services.recommend.actions.asking import slot_named
from services.recommend.actions.impressions import MARKING
from services.recommend.domain.catalogue import Catalogue
from services.recommend.domain.experiments import variant_of
from services.recommend.domain.marks import marked
from services.recommend.domain.plans import Exploration
from services.recommend.domain.slots import Slot
from services.recommend.domain.wishes import Answer, Wish
from services.recommend.schemas.recommendations import BatchIn, RecommendationsIn
from services.recommend.store import impressions
from services.recommend.store import served as store
from services.recommend.store.impressions import Context
from shared import crypto
from shared.database import statement, transaction
from shared.ids import uuid7

NEW_DAYS: Final = 30
SELDOM: Final = 100  # shown less often than this in NEW_DAYS is hardly seen
_COUNT_EVERY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Serving:
    """One answer to be: its id, the slot as the person has it, and the experiment and variant, where one runs."""

    recommendation_id: UUID
    slot: Slot | None = None
    experiment: tuple[str, str] | None = None


@dataclass
class _Seldom:
    """How often items were shown lately, counted anew once a minute beside the traffic."""

    shown: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    counted_at: float | None = None
    counting: threading.Lock = field(default_factory=threading.Lock)


_contexts: dict[Context, int | None] = {}
_held: dict[str, _Seldom] = {"seldom": _Seldom()}


def forget() -> None:
    """Begin again (tests: another database is another world)."""
    _contexts.clear()
    _held["seldom"] = _Seldom()


def begin(asked: RecommendationsIn) -> Serving:
    """The slot that somebody gets, and an id that says where the answer comes from. Raises Invalid: no such slot."""
    slot = slot_named(asked.slot)
    if slot is None:
        return Serving(uuid7())
    return _serving(slot, asked.strategy, _variant(asked, slot))


def begin_many(asked: BatchIn, customers: Sequence[UUID]) -> list[Serving]:
    """The same for each of many customers, who are looked up together. Raises Invalid: no such slot."""
    slot = slot_named(asked.slot)
    if slot is None:
        return [Serving(uuid7())] * len(customers)
    experiment = _running(slot)
    if experiment is None:
        return [_serving(slot, asked.strategy, None) for _ in customers]
    with transaction(read_only=True) as tx:
        kept = store.variants_of_customers(tx, experiment["id"], customers)
    found = [_chosen(slot, experiment, kept.get(one), f"customer_id:{one}") for one in customers]
    return [_serving(slot, asked.strategy, one) for one in found]


def _serving(slot: Slot, strategy: str | None, experiment: tuple[str, str] | None) -> Serving:
    if experiment is not None:
        slot = slot.variants[experiment[1]]
    context = Context(slot.name, strategy or slot.strategy, *(experiment or ("", "")))
    number = _number(context)
    answer = uuid7()
    if number is not None:
        answer = marked(answer, number, crypto.signing_key(MARKING))
    return Serving(answer, slot, experiment)


def explored_by(serving: Serving, wish: Wish, catalogue: Catalogue) -> Wish:
    """The wish, with places for items that hardly anybody has seen where the slot gives them some."""
    if serving.slot is None or wish.plan is None or not serving.slot.explore_share:
        return wish
    seed = serving.recommendation_id.int & (1 << 64) - 1
    exploration = Exploration(serving.slot.explore_share, _pool(catalogue, wish), seed)
    return replace(wish, plan=replace(wish.plan, exploration=exploration))


def remember(serving: Serving, found: Answer) -> None:
    """Write down what an answer explored."""
    remember_many([(serving, found)])


def remember_many(answers: Sequence[tuple[Serving, Answer]]) -> None:
    """The same of several answers."""
    explored = {serving.recommendation_id: (found.explored, found.pool) for serving, found in answers if found.explored}
    if explored:
        with transaction() as tx:
            store.remember_explored(tx, explored)


def _number(context: Context) -> int | None:
    if context not in _contexts:
        with transaction() as tx:
            number = store.context_number(tx, context)
        _contexts[context] = number
    return _contexts[context]


def _variant(asked: RecommendationsIn, slot: Slot) -> tuple[str, str] | None:
    """The experiment and the person's variant; None where none runs, or nobody is named whom one could know again."""
    experiment = _running(slot)
    person = None if experiment is None else _person(asked)
    if experiment is None or person is None:
        return None
    return _chosen(slot, experiment, _kept(experiment, asked), person)


def _running(slot: Slot) -> Mapping[str, Any] | None:
    experiment = slot.experiment
    return experiment if experiment is not None and experiment.get("started_at") else None


def _chosen(slot: Slot, experiment: Mapping[str, Any], kept: str | None, person: str) -> tuple[str, str]:
    """The variant somebody was seen with, where the slot still has it; else the one they fall into."""
    return experiment["id"], kept if kept in slot.variants else variant_of(experiment, person)  # type: ignore[return-value]


def _person(asked: RecommendationsIn) -> str | None:
    for kind in ("customer_id", "user_id", "anonymous_id"):
        value = getattr(asked, kind)
        if value is not None:
            return f"{kind}:{value}"
    return None


def _kept(experiment: Any, asked: RecommendationsIn) -> str | None:
    with statement() as tx:
        if asked.customer_id is not None:
            return store.variant_of_customer(tx, experiment["id"], asked.customer_id)
        kind = "user_id" if asked.user_id is not None else "anonymous_id"
        alias = crypto.blind_index(kind, asked.user_id or asked.anonymous_id or "")
        return store.variant_behind(tx, experiment["id"], alias)


def _pool(catalogue: Catalogue, wish: Wish) -> NDArray[np.int64]:
    """Keys of items that came lately, or were hardly ever shown lately."""
    shown = _shown(len(catalogue))
    seldom = np.ones(len(catalogue), dtype=bool)
    known = min(len(shown), len(catalogue))
    seldom[:known] = shown[:known] < SELDOM
    return np.flatnonzero(seldom | (catalogue.published > wish.at.now - NEW_DAYS * 86_400))


def _shown(size: int) -> NDArray[np.int64]:
    seldom = _held["seldom"]
    if seldom.counted_at is None:
        with seldom.counting:
            if seldom.counted_at is None:
                _count(seldom, size)
    elif time.monotonic() - seldom.counted_at > _COUNT_EVERY_S and seldom.counting.acquire(blocking=False):
        seldom.counted_at = time.monotonic()
        threading.Thread(target=_count_beside, args=(seldom, size), name="seldom-shown", daemon=True).start()
    return seldom.shown


def _count(seldom: _Seldom, size: int) -> None:
    with transaction(read_only=True) as tx:
        seldom.shown = impressions.shown_since(tx, datetime.now(UTC) - timedelta(days=NEW_DAYS), size)
    seldom.counted_at = time.monotonic()


def _count_beside(seldom: _Seldom, size: int) -> None:
    try:
        _count(seldom, size)
    finally:
        seldom.counting.release()
