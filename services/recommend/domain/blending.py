"""A blend of models where it surely ranks better than the best of them alone; that one where it does not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.challengers.log import Contender, Floats, Keys, Log
from services.recommend.domain.questions import DEPTH, Question, ndcg, rankings, standard_error
from services.recommend.domain.ranking import best_of_rows
from services.recommend.domain.stacking import Candidates, Facts, Lesson, Ranker, learn

_EACH: Final = 60  # items of each model that are candidates of the blend
_WEIGHTS: Final = (0.0, 0.05, 0.15, 0.4, 1.0, 2.0)
_WORTH: Final = 0.6  # a model worse than this share of the best is not tried
_SURELY: Final = 1.645  # standard errors that a gain must exceed: one side, 95 %
_SLOW: Final = 10.0  # added to a place before it is divided by (Cormack, Clarke and Büttcher 2009)
_FEWEST_FOR_TREES: Final = 300  # people
_CLOSED: Final = np.float32(-1e6)


@dataclass(frozen=True)
class Blend:
    """`weights` by a model's name. `by_place`: of 1 / (10 + place) in each model's order, else of scaled scores.

    `learned`: trees over these models instead of a weighted sum; then the weights are all 1.
    """

    weights: Mapping[str, float]
    by_place: bool = False
    learned: Ranker | None = None

    def best(self, pool: Candidates, facts: Facts) -> Keys:
        """The 20 best items of each person."""
        if self.learned is not None:
            total = self.learned(pool, facts)
        else:
            scores = pool.places if self.by_place else pool.scores
            parts = (np.float32(weight) * scores[name] for name, weight in self.weights.items())
            total = np.asarray(sum(parts, pool.closed))
        return np.take_along_axis(pool.keys, best_of_rows(total, DEPTH), axis=1)


def pools(
    models: Mapping[str, Contender], log: Log, people: Keys, *, repeats: bool, pooled: Sequence[str]
) -> Iterator[tuple[dict[str, Keys], Candidates]]:
    """For some people at a time the 20 best of each by each model, and the items that those `pooled` rank high."""
    for some, blocks in rankings(list(models.values()), log, people, repeats=repeats):
        scores = dict(zip(models, blocks, strict=True))
        near = {name: best_of_rows(scores[name], _EACH if name in pooled else DEPTH) for name in models}
        chosen = np.sort(np.concatenate([near[name] for name in pooled], axis=1), axis=1)
        shut = np.zeros(chosen.shape, dtype=bool)
        shut[:, 1:] = chosen[:, 1:] == chosen[:, :-1]
        found = {}
        for name in pooled:
            found[name] = np.take_along_axis(scores[name], chosen, axis=1)
            shut |= np.isneginf(found[name])
        closed = np.where(shut, _CLOSED, np.float32(0))
        open_ = {name: np.where(shut, np.float32(0), values) for name, values in found.items()}
        places = {name: _places(values + closed) for name, values in open_.items()}
        yield {name: top[:, :DEPTH] for name, top in near.items()}, Candidates(some, chosen, open_, places, closed)


def _places(scores: Floats) -> Floats:
    """Scores that know each row's order only."""
    places = np.empty(scores.shape, dtype=np.float32)
    order = np.argsort(-scores, axis=1, kind="stable")
    np.put_along_axis(places, order, np.arange(scores.shape[1], dtype=np.float32)[None], axis=1)
    return np.float32(_SLOW) / (places + np.float32(_SLOW))


def worthy(validated: Mapping[str, float]) -> list[str]:
    """The models that may be blended, by how good each is alone, the best first."""
    order = sorted(validated, key=lambda name: -validated[name])
    return [name for name in order if validated[name] >= _WORTH * validated[order[0]]]


def choose(
    models: Mapping[str, Contender],
    validated: Mapping[str, float],
    log: Log,
    asked: Question,
    *,
    repeats: bool,
    lessons: Sequence[Lesson] = (),
) -> Blend:
    """Weights by going over the models twice, the best first, or trees; the best alone where chance gains as much.

    The gain is that on one half of the people with what was found on the other half, both ways. `lessons`: of earlier
    times, which trees learn from, too.
    """
    order = worthy(validated)
    alone = Blend({order[0]: 1.0})
    if len(order) == 1:
        return alone
    able = {name: models[name] for name in order}
    pool = _joined([pool for _, pool in pools(able, log, asked.people, repeats=repeats, pooled=order)])
    hits, halves = asked.hits(pool.keys), asked.people % 2 == 0
    everyone = halves | ~halves
    best, most, first = alone, 0.0, np.zeros(0)
    for by_place, scores in ((False, pool.scores), (True, pool.places)):
        search = _Search(order, scores, pool.closed, hits, asked.counts)
        first = first if len(first) else search.quality({order[0]: 1.0}, everyone)
        gains = np.empty(len(halves))
        for half in (halves, ~halves):
            gains[~half] = search.quality(search.weights(half), ~half) - first[~half]
        if _surely(gains) and gains.mean() > most:
            best, most = Blend(search.weights(everyone), by_place), float(gains.mean())
    if len(asked.people) < _FEWEST_FOR_TREES:
        return best
    trees = _Trees(order, pool, Facts.of(log), hits, asked.counts, lessons)
    gains = trees.quality() - first
    if _surely(gains) and gains.mean() > most:
        best = Blend(dict.fromkeys(order, 1.0), learned=trees.learned())
    return best


def lesson_of(
    models: Mapping[str, Contender], order: Sequence[str], log: Log, asked: Question, *, repeats: bool
) -> Lesson:
    """What an earlier time teaches: these models, in this order, fitted to what was known then."""
    able = {name: models[name] for name in order}
    pool = _joined([pool for _, pool in pools(able, log, asked.people, repeats=repeats, pooled=order)])
    return _lesson(pool, order, Facts.of(log), asked.hits(pool.keys))


def _lesson(pool: Candidates, order: Sequence[str], facts: Facts, hits: NDArray[np.bool_]) -> Lesson:
    people = np.broadcast_to(pool.people[:, None], pool.keys.shape)[pool.open]
    return Lesson(people, pool.evidence(order, facts), hits[pool.open])


def _surely(gains: NDArray[np.float64]) -> bool:
    return bool(gains.mean() > _SURELY * standard_error(gains))


def _joined(parts: Sequence[Candidates]) -> Candidates:
    return Candidates(
        np.concatenate([part.people for part in parts]),
        np.concatenate([part.keys for part in parts]),
        {name: np.concatenate([part.scores[name] for part in parts]) for name in parts[0].scores},
        {name: np.concatenate([part.places[name] for part in parts]) for name in parts[0].places},
        np.concatenate([part.closed for part in parts]),
    )


@dataclass(frozen=True)
class _Trees:
    order: Sequence[str]
    pool: Candidates
    facts: Facts
    hits: NDArray[np.bool_]
    counts: Keys
    earlier: Sequence[Lesson]

    @cached_property
    def _lessons(self) -> list[Lesson]:
        return [_lesson(self.pool, self.order, self.facts, self.hits), *self.earlier]

    def learned(self) -> Ranker:
        """What everybody teaches."""
        return learn(self.order, self._lessons)

    def quality(self) -> NDArray[np.float64]:
        """NDCG@20 of each, by what the other half of the people teaches, at every time."""
        found = np.empty(len(self.hits))
        for half in (0, 1):
            rows = self.pool.people % 2 == half
            total = learn(self.order, [lesson.of(1 - half) for lesson in self._lessons])(self.pool, self.facts)
            hits = np.take_along_axis(self.hits, best_of_rows(total, DEPTH), axis=1)
            found[rows] = ndcg(hits, self.counts)[rows]
        return found


@dataclass(frozen=True)
class _Search:
    order: Sequence[str]
    scores: Mapping[str, Floats]
    closed: Floats
    hits: NDArray[np.bool_]
    counts: Keys

    def weights(self, rows: NDArray[np.bool_]) -> dict[str, float]:
        """The best for these people, one model's after the other's."""
        weights = {self.order[0]: 1.0}
        best = self.quality(weights, rows).mean()
        for name in (*self.order[1:], *self.order[1:]):
            for weight in _WEIGHTS:
                tried = {**weights, name: weight}
                quality = self.quality(tried, rows).mean()
                if quality > best:
                    best, weights = quality, tried
        return {name: weight for name, weight in weights.items() if weight > 0}

    def quality(self, weights: Mapping[str, float], rows: NDArray[np.bool_]) -> NDArray[np.float64]:
        """NDCG@20 of each."""
        total = self.closed[rows]
        for name, weight in weights.items():
            if weight > 0:
                total += np.float32(weight) * self.scores[name][rows]
        return ndcg(np.take_along_axis(self.hits[rows], best_of_rows(total, DEPTH), axis=1), self.counts[rows])
