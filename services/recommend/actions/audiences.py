"""Whom to offer an item or a category: everybody scored in one pass, and what such scores have meant so far."""

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from services.recommend.actions import shelf
from services.recommend.domain import audiences as domain
from services.recommend.domain.audience_reasons import CODES, MOST, NONE, REASONS, reasons_of
from services.recommend.domain.audiences import People, Target, Top
from services.recommend.domain.catalogue import Catalogue
from services.recommend.domain.filters import Filter
from services.recommend.domain.items import category_path
from services.recommend.domain.model import Model
from services.recommend.domain.parameters import Parameters
from services.recommend.domain.propensity import Expected, Learned, expected, learn
from services.recommend.domain.tastes import Lines
from services.recommend.store import audiences as store
from services.recommend.store.models import EPOCH
from shared import audit, shop
from shared.database import Transaction, transaction
from shared.problems import Invalid, NotFound, TooMany

SAMPLE: Final = 50_000  # customers that are enough to learn what a score means
_MOST_POINTS: Final = 20
_MICROSECONDS_A_DAY: Final = 86_400_000_000
# One at a time a process, so that several of these do not crowd out the storefront's requests.
_turn: Final = threading.Lock()
_PATIENCE_S: Final = 5.0


def audience(asked: dict[str, Any]) -> dict[str, Any]:
    """The customers for what is asked about, ranked, with reach and expected response. Raises Invalid, NotFound."""
    catalogue, model = shelf.current()
    target, described = _target(catalogue, model, asked)
    if not _turn.acquire(timeout=_PATIENCE_S):
        raise TooMany("other audiences are being computed; ask again in a moment", retry_after=5)
    try:
        with transaction(read_only=True) as tx:
            if asked["segment_id"] is not None and store.segment_size(tx, asked["segment_id"]) is None:
                raise NotFound(f"there is no segment {asked['segment_id']}")
            run = _Run(tx, asked, target, model.parameters if model else Parameters(), shop.business_now(tx))
            basis = run.learn()
            run.rank(basis)
    finally:
        _turn.release()
    found = _reply(run, basis, described, model)
    with transaction() as tx:
        told = {"reach": found["reach"], "limit": asked["limit"], **_named(described)}
        audit.record(tx, "audience.compute", ("audience", described["item_id"] or "category"), after=told)
    return found


def _named(described: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in described.items() if value is not None}


def _target(catalogue: Catalogue, model: Model | None, asked: dict[str, Any]) -> tuple[Target, dict[str, Any]]:
    if "item_id" in asked:
        key = catalogue.key_of(asked["item_id"])
        if key is None:
            raise NotFound(f"there is no item {asked['item_id']!r}")
        if not catalogue.on_sale[key]:
            raise Invalid("this item is off sale: there is nobody to offer it to", code="item_off_sale")
        wanted = np.zeros(len(catalogue), dtype=bool)
        wanted[key] = True
        category = catalogue.items[key].category
        family = catalogue.same_category(key) if category else np.ones(len(catalogue), dtype=bool)
        return Target(domain.nearness(model, wanted), wanted, family), {"item_id": asked["item_id"], "category": None}
    path = category_path(asked["category"])
    wanted = catalogue.mask(Filter(categories=(path,))) if path else np.zeros(len(catalogue), dtype=bool)
    if not wanted.any():
        raise NotFound("there is no item of this category")
    if not (wanted & catalogue.on_sale).any():
        raise Invalid("every item of this category is off sale", code="category_off_sale")
    family = catalogue.mask(Filter(categories=(path[:-1],) if len(path) > 1 else ()))
    return Target(domain.nearness(model, wanted), wanted, family), {"item_id": None, "category": list(path)}


@dataclass
class _Basis:
    """What was learned of the item or, where too few bought it, of its category; `share` of those bought the item."""

    name: str
    learned: Learned | None
    share: float = 1.0


@dataclass
class _Run:
    """One audience under way."""

    tx: Transaction
    asked: dict[str, Any]
    target: Target
    parameters: Parameters
    now: datetime
    customers: int = 0
    eligible: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    steps: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, dtype=np.int64))
    top: Top = field(default_factory=lambda: Top.of(1))

    def learn(self) -> _Basis:
        """Compare customers as they were known one horizon ago with what they have bought since."""
        count, days = store.customer_count(self.tx), self.asked["horizon_days"]
        bits = max(0, math.ceil(math.log2(count / SAMPLE))) if count > SAMPLE else 0
        features, bought, of_family = [], [], []
        for _, people in self._everybody(None, bits):
            then = people.as_of(days)
            known = (then.counts > 0) & ~self._bought_recently(then)
            features.append(domain.features_of(then, self.target, self.parameters)[known])
            bought.append(domain.bought_within(people, self.target.wanted, days)[known])
            of_family.append(domain.bought_within(people, self.target.family, days)[known])
        if not features:
            return _Basis("none", None)
        told, did, did_family = np.concatenate(features), np.concatenate(bought), np.concatenate(of_family)
        learned = learn(told, did)
        if learned is not None:
            return _Basis("item" if self.asked.get("item_id") else "category", learned)
        learned = learn(domain.as_family(told), did_family)
        if learned is None or not self.asked.get("item_id"):
            return _Basis("none", None)
        return _Basis("category", learned, (did.sum() + 0.5) / (did_family.sum() + 1))

    def rank(self, basis: _Basis) -> None:
        """Score everybody who may be offered it, and keep the best."""
        learned = basis.learned
        self.top = Top.of(self.asked["limit"], MOST)
        if learned is not None:
            self.steps = np.zeros(len(learned.calibration.people), dtype=np.int64)
        for ids, people in self._everybody(self.asked["segment_id"], 0):
            allowed = self._allowed(ids, people)
            features = domain.features_of(people, self.target, self.parameters)
            had = features[:, domain.FEATURES.index("wanted")] > 0
            told = domain.as_family(features) if basis.share < 1 else features
            if learned is None:
                scores = features[:, 0].astype(np.float64) + features[:, domain.FEATURES.index("family")]
                steps = np.zeros(len(scores), dtype=np.int64)
            else:
                scores = learned.logistic.score(told)
                steps = learned.calibration.step_of(scores)
                allowed &= learned.calibration.probability[steps] * basis.share >= self.asked["min_probability"]
            self.eligible += int(allowed.sum())
            self.steps += np.bincount(steps[allowed], minlength=len(self.steps))
            reasons = reasons_of(told, learned.logistic if learned else None, of_family=basis.share < 1)
            self.top.offer(scores[allowed], ids[allowed], steps[allowed], had[allowed], reasons[allowed])

    def _everybody(self, segment_id: UUID | None, bits: int) -> Iterator[tuple[NDArray[np.void], People]]:
        """Chunks of customers with their lines up to now."""
        now = round((self.now - EPOCH).total_seconds() * 1_000_000)
        for chunk in store.everybody(self.tx, segment_id, bits):
            ages = ((now - chunk.occurred_at) / _MICROSECONDS_A_DAY).astype(np.float32)
            there = (ages >= 0) & (chunk.keys < len(self.target.wanted))
            number = np.repeat(np.arange(len(chunk.counts)), chunk.counts)[there]
            lines = Lines(chunk.keys[there], chunk.kinds[there], chunk.quantities[there], ages[there])
            yield chunk.customers, People(np.bincount(number, minlength=len(chunk.counts)), lines)

    def _bought_recently(self, people: People) -> NDArray[np.bool_]:
        days = self.asked["exclude_bought_within_days"]
        if days is None:
            return np.zeros(len(people.counts), dtype=bool)
        return domain.bought_within(people, self.target.wanted, days)

    def _allowed(self, ids: NDArray[np.void], people: People) -> NDArray[np.bool_]:
        """Who of a chunk may be offered it; counts who may not, and why."""
        left = people.counts > 0
        self.customers += int(left.sum())
        for rule, allowed in self._rules(ids, people):
            self.excluded[rule] = self.excluded.get(rule, 0) + int((left & ~allowed).sum())
            left = left & allowed
        return left

    def _rules(self, ids: NDArray[np.void], people: People) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        yield "bought_recently", ~self._bought_recently(people)
        wanted, country = self.asked["contactable"], self.asked["country"]
        if not wanted and country is None:
            return
        customers = [UUID(bytes=bytes(one)) for one in ids]
        places = store.places(self.tx, customers)
        found = [places.get(customer) for customer in customers]
        if wanted:
            reached = [one is not None and any(getattr(one, channel) for channel in wanted) for one in found]
            yield "not_contactable", np.asarray(reached, dtype=bool)
        if country is not None:
            there = [one is not None and one.country == country for one in found]
            yield "other_country", np.asarray(there, dtype=bool)


def _reply(run: _Run, basis: _Basis, described: dict[str, Any], model: Model | None) -> dict[str, Any]:
    learned, top = basis.learned, run.top
    chosen = np.bincount(top.steps, minlength=len(run.steps))
    return {
        **described,
        "as_of": run.now,
        "horizon_days": run.asked["horizon_days"],
        "model_version": model.version if model else None,
        "reach": {
            "customers": run.customers,
            "eligible": run.eligible,
            "selected": len(top.scores),
            "excluded": {
                name: run.excluded.get(name, 0) for name in ("bought_recently", "not_contactable", "other_country")
            },
        },
        "expected": None if learned is None else _expected(chosen, expected(learned.calibration, chosen, basis.share)),
        "curve": [] if learned is None else _curve(run.steps, learned, basis.share),
        "calibration": {
            "basis": basis.name,
            "people": learned.people if learned else 0,
            "buyers": learned.happened if learned else 0,
            "auc": learned.auc if learned else 0.5,
            "lift": learned.lift if learned else 1.0,
        },
        "reason_texts": {code: {"en": english, "zh": chinese} for code, (english, chinese) in REASONS.items()},
        "customers": _members(top, basis),
    }


def _expected(chosen: NDArray[np.int64], found: Expected) -> dict[str, Any]:
    return {"customers": int(chosen.sum()), "buyers": found.count, "low": found.low, "high": found.high}


def _curve(steps: NDArray[np.int64], learned: Learned, share: float) -> list[dict[str, Any]]:
    """The best so many and what to expect of them, at most 20 points: at the borders of steps, where scores differ."""
    borders = np.flatnonzero(steps)[::-1]
    borders = borders[:: max(1, math.ceil(len(borders) / _MOST_POINTS))]
    points = []
    for border in {*borders.tolist(), 0} if len(borders) else ():
        chosen = np.where(np.arange(len(steps)) >= border, steps, 0)
        points.append(_expected(chosen, expected(learned.calibration, chosen, share)))
    return sorted(points, key=lambda point: point["customers"])


def _members(top: Top, basis: _Basis) -> list[dict[str, Any]]:
    people = [UUID(bytes=bytes(one)) for one in top.people]
    nothing: list[None] = [None] * len(people)
    chances: list[tuple[float | None, ...]] = [(None, None, None)] * len(nothing)
    if basis.learned is not None:
        calibration = basis.learned.calibration
        low, high = calibration.interval
        columns = np.column_stack([calibration.probability, low, high]) * basis.share
        chances = [tuple(row) for row in columns[top.steps].tolist()]
    reasons = [[CODES[place] for place in row if place != NONE] for row in top.reasons.tolist()]
    return [
        {
            "customer_id": one,
            "score": score,
            "probability": p,
            "low": low,
            "high": high,
            "bought_before": had,
            "reasons": why,
        }
        for one, score, (p, low, high), had, why in zip(
            people, top.scores.tolist(), chances, top.bought.tolist(), reasons, strict=True
        )
    ]
