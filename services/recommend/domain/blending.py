"""A blend of models where it surely ranks better than the best of them alone; that one where it does not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.challengers.log import Contender, Floats, Keys, Log
from services.recommend.domain.questions import DEPTH, Question, ndcg, rankings, standard_error
from services.recommend.domain.ranking import best_of_rows

_EACH: Final = 60  # items of each model that are candidates of the blend
_WEIGHTS: Final = (0.0, 0.05, 0.15, 0.4, 1.0, 2.0)
_WORTH: Final = 0.6  # a model worse than this share of the best is not tried
_SURELY: Final = 1.645  # standard errors that a gain must exceed: one side, 95 %
_SLOW: Final = 10.0  # added to a place before it is divided by (Cormack, Clarke and Büttcher 2009)
_CLOSED: Final = np.float32(-1e6)


@dataclass(frozen=True)
class Blend:
    """`weights` by a model's name. `by_place`: of 1 / (10 + place) in each model's order, else of scaled scores."""

    weights: Mapping[str, float]
    by_place: bool = False


@dataclass(frozen=True)
class Pool:
    """Each person's items that some model ranks high, `scores` of each model for them, 0 where `closed` is −10⁶."""

    keys: Keys
    scores: Mapping[str, Floats]
    closed: Floats

    def places(self) -> dict[str, Floats]:
        """Scores that know each model's order only."""
        found = {}
        for name, scores in self.scores.items():
            order = np.argsort(-(scores + self.closed), axis=1, kind="stable")
            places = np.empty(scores.shape, dtype=np.float32)
            np.put_along_axis(places, order, np.arange(scores.shape[1], dtype=np.float32)[None], axis=1)
            found[name] = np.float32(_SLOW) / (places + np.float32(_SLOW))
        return found

    def best(self, blend: Blend) -> Keys:
        """The 20 best items of each person by a blend."""
        scores = self.places() if blend.by_place else self.scores
        total = sum((np.float32(weight) * scores[name] for name, weight in blend.weights.items()), self.closed)
        return np.take_along_axis(self.keys, best_of_rows(np.asarray(total), DEPTH), axis=1)


def pools(
    models: Mapping[str, Contender], log: Log, people: Keys, *, repeats: bool, pooled: Sequence[str]
) -> tuple[dict[str, Keys], Pool]:
    """The 20 best of each person by each model, and the pool of those models that are `pooled`."""
    tops: dict[str, list[Keys]] = {name: [] for name in models}
    keys, closed = [], []
    parts: dict[str, list[Floats]] = {name: [] for name in pooled}
    for _, blocks in rankings(list(models.values()), log, people, repeats=repeats):
        scores = dict(zip(models, blocks, strict=True))
        near = {name: best_of_rows(scores[name], _EACH if name in parts else DEPTH) for name in models}
        chosen = np.sort(np.concatenate([near[name] for name in pooled], axis=1), axis=1)
        shut = np.zeros(chosen.shape, dtype=bool)
        shut[:, 1:] = chosen[:, 1:] == chosen[:, :-1]
        for name in models:
            tops[name].append(near[name][:, :DEPTH])
            if name in parts:
                values = np.take_along_axis(scores[name], chosen, axis=1)
                shut |= np.isneginf(values)
                parts[name].append(values)
        keys.append(chosen)
        closed.append(np.where(shut, _CLOSED, np.float32(0)))
    barred = np.concatenate(closed)
    joined = {name: np.where(barred < 0, np.float32(0), np.concatenate(part)) for name, part in parts.items()}
    return {name: np.concatenate(top) for name, top in tops.items()}, Pool(np.concatenate(keys), joined, barred)


def choose(
    models: Mapping[str, Contender], validated: Mapping[str, float], log: Log, asked: Question, *, repeats: bool
) -> Blend:
    """Weights by going over the models twice, the best first; the best alone where they gain no more than chance does.

    The gain is that on one half of the people with weights found on the other half, both ways.
    """
    order = sorted(validated, key=lambda name: -validated[name])
    order = [name for name in order if validated[name] >= _WORTH * validated[order[0]]]
    alone = Blend({order[0]: 1.0})
    if len(order) == 1:
        return alone
    _, pool = pools({name: models[name] for name in order}, log, asked.people, repeats=repeats, pooled=order)
    hits, halves = asked.hits(pool.keys), np.arange(len(asked.people)) % 2 == 0
    best, most = alone, 0.0
    for by_place, scores in ((False, pool.scores), (True, pool.places())):
        search = _Search(order, scores, pool.closed, hits, asked.counts)
        gains = np.empty(len(halves))
        for half in (halves, ~halves):
            weights = search.weights(half)
            gains[~half] = search.quality(weights, ~half) - search.quality({order[0]: 1.0}, ~half)
        gain = float(gains.mean())
        if gain > _SURELY * standard_error(gains) and gain > most:
            best, most = Blend(search.weights(halves | ~halves), by_place), gain
    return best


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
