"""A contest of models on one data set: each tuned on a part of train, then all of them, and a blend, against the test.

Every item is ranked, none sampled. The test is looked at once, at the end.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.challengers import popular
from services.recommend.domain.challengers.log import Contender, Floats, Keys, Log
from services.recommend.domain.families import FAMILIES, Family, Settings

CUTS: Final = (10, 20)
_DEPTH: Final = 20
_PEOPLE_A_TIME: Final = 256
_TUNED_ON: Final = 2_000
_HELD_OUT_SHARE: Final = 0.2
_CANDIDATES: Final = 100
_WEIGHTS: Final = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5)
_GAIN: Final = 1.002  # a weight that gains less is not taken
_TIE: Final = np.float32(1e-6)

Figures = dict[str, float]


@dataclass(frozen=True)
class Question:
    """Whom to answer and what they took: parallel columns, in order of person. `people` are those with an answer."""

    asked: Keys
    wanted_by: Keys
    wanted: Keys

    @property
    def people(self) -> Keys:
        """Each once, ascending."""
        return np.unique(self.asked)


@dataclass(frozen=True)
class Entry:
    """One model of the contest: the settings chosen, their NDCG@20 on the validation part, and its fitted form."""

    name: str
    settings: Settings
    validated: float


@dataclass(frozen=True)
class Result:
    """Figures of each model and of the blend on the test; `blend` the weights."""

    entries: Sequence[Entry]
    blend: Mapping[str, float]
    figures: Mapping[str, Figures]
    people: int


def question_of(people: Keys, items: Keys) -> Question:
    """What each person took."""
    order = np.lexsort((items, people))
    return Question(people[order], people[order], items[order])


def run(log: Log, test: Question, *, repeats: bool, seed: int = 7) -> Result:
    """Tune on a part of `log`, fit on all of it, and measure against `test`. Raises ValueError for too little data."""
    past, held_out = validation_part(log, seed)
    families = [family for family in FAMILIES if family.suits(log, repeats)]
    entries, answers = [], []
    for family in families:
        entry, contender = _tuned(family, past, held_out, repeats)
        entries.append(entry)
        answers.append(contender)
    weights = _blended(entries, answers, past, held_out, repeats)
    del answers
    final = [family.fit(log, entry.settings) for family, entry in zip(families, entries, strict=True)]
    names = [entry.name for entry in entries]
    blend = {name: weight for name, weight in zip(names, weights, strict=True) if weight > 0}
    return Result(entries, blend, _measured(names, final, weights, log, test, repeats), len(test.people))


def validation_part(log: Log, seed: int) -> tuple[Log, Question]:
    """What is learned from while tuning, and what is asked: some people's last visits, or a fifth of their items.

    Raises ValueError where nobody has enough of them.
    """
    draw = np.random.default_rng(seed)
    counts = np.bincount(log.people, minlength=log.person_count)
    able = np.flatnonzero(log.last_visits > 0 if log.ordered else counts >= 2)
    if len(able) == 0:
        raise ValueError("nobody has two visits (or items) in train: there is nothing to tune on")
    chosen = np.zeros(log.person_count, dtype=bool)
    chosen[draw.choice(able, min(_TUNED_ON, len(able)), replace=False)] = True
    if log.ordered:
        out = chosen[log.people] & (log.since == 0)
    else:
        out = chosen[log.people] & _share_of_each(log, counts, draw)
    return log.only(~out), question_of(log.people[out], log.items[out])


def _share_of_each(log: Log, counts: Keys, draw: np.random.Generator) -> NDArray[np.bool_]:
    order = np.lexsort((draw.random(len(log)), log.people))
    first = np.cumsum(counts) - counts
    place = np.empty(len(log), dtype=np.int64)
    place[order] = np.arange(len(log)) - first[log.people[order]]
    chosen: NDArray[np.bool_] = place < np.maximum(1, counts[log.people] * _HELD_OUT_SHARE)
    return chosen


def _tuned(family: Family, past: Log, held_out: Question, repeats: bool) -> tuple[Entry, Contender]:
    """The best settings of a family, one kind of setting after the other, the others as they are best so far."""
    best: tuple[float, Settings, Contender] | None = None
    for stage in family.stages(past):
        start: Settings = {} if best is None else best[1]
        for change in stage:
            settings = {**start, **change}
            if best is not None and settings == best[1]:
                continue
            contender = family.fit(past, settings)
            quality = float(_ndcg(contender, past, held_out, repeats).mean())
            if best is None or quality > best[0]:
                best = quality, settings, contender
    assert best is not None  # noqa: S101  # each family has a stage
    return Entry(family.name, best[1], best[0]), best[2]


def _ndcg(contender: Contender, log: Log, asked: Question, repeats: bool) -> NDArray[np.float64]:
    tops = [_top(scores) for _, scores in _ranked([contender], log, asked.people, repeats)]
    return figures_of(np.concatenate([top for (top,) in tops]), asked, log.item_count)["ndcg@20"]


def _ranked(
    contenders: Sequence[Contender], log: Log, people: Keys, repeats: bool
) -> Iterator[tuple[Keys, list[Floats]]]:
    """For some people at a time the scores of each contender, scaled to a maximum of 1; what they have is −inf.

    Ties, and people a model knows nothing of, go by popularity.
    """
    taken = log.matrix()
    often = popular.fit(log).weights
    often = often / max(float(often.max(initial=0)), 1.0) * _TIE
    for start in range(0, len(people), _PEOPLE_A_TIME):
        some = people[start : start + _PEOPLE_A_TIME]
        seen = None if repeats else taken[some].nonzero()
        scaled = []
        for contender in contenders:
            scores = np.array(contender.scores(some), dtype=np.float32)
            if seen is not None:
                scores[seen] = -np.inf
            highest = scores.max(axis=1, keepdims=True, initial=0)
            scores /= np.where(highest > 0, highest, 1)
            scaled.append(scores + often)
        yield some, scaled


def _top(scores: Sequence[Floats], depth: int = _DEPTH) -> list[Keys]:
    """The places of the highest of each row, highest first."""
    found = []
    for one in scores:
        depth = min(depth, one.shape[1])
        best = np.argpartition(-one, depth - 1, axis=1)[:, :depth]
        order = np.argsort(-np.take_along_axis(one, best, axis=1), axis=1, kind="stable")
        found.append(np.take_along_axis(best, order, axis=1))
    return found


def _blended(
    entries: Sequence[Entry], contenders: Sequence[Contender], log: Log, asked: Question, repeats: bool
) -> list[float]:
    """Weights found by going over the models, the best first, twice; only what gains is taken in."""
    parts, keys = _candidates(contenders, log, asked.people, repeats)
    order = sorted(range(len(entries)), key=lambda number: -entries[number].validated)
    weights = [0.0] * len(entries)
    weights[order[0]] = 1.0

    def quality(tried: Sequence[float]) -> float:
        total = sum(np.float32(weight) * part for weight, part in zip(tried, parts, strict=True) if weight > 0)
        (places,) = _top([np.asarray(total)])
        chosen = np.take_along_axis(keys, places, axis=1)
        return float(figures_of(chosen, asked, log.item_count)["ndcg@20"].mean())

    best = quality(weights)
    for number in [*order[1:], *order]:
        for weight in _WEIGHTS:
            tried = [*weights[:number], weight, *weights[number + 1 :]]
            if any(tried) and (found := quality(tried)) > best * _GAIN:
                best, weights = found, tried
    return weights


def _candidates(contenders: Sequence[Contender], log: Log, people: Keys, repeats: bool) -> tuple[list[Floats], Keys]:
    """Each person's items that some model ranks high, and every model's scores of them: people × candidates."""
    parts: list[list[Floats]] = [[] for _ in contenders]
    keys = []
    for _, scores in _ranked(contenders, log, people, repeats):
        width = min(_CANDIDATES, log.item_count)
        chosen = np.concatenate(_top(scores, width), axis=1)
        chosen.sort(axis=1)
        again = np.zeros(chosen.shape, dtype=bool)
        again[:, 1:] = chosen[:, 1:] == chosen[:, :-1]
        for part, one in zip(parts, scores, strict=True):
            part.append(np.where(again, np.float32(-np.inf), np.take_along_axis(one, chosen, axis=1)))
        keys.append(chosen)
    return [np.concatenate(part) for part in parts], np.concatenate(keys)


def _measured(
    names: Sequence[str],
    contenders: Sequence[Contender],
    weights: Sequence[float],
    log: Log,
    test: Question,
    repeats: bool,
) -> dict[str, Figures]:
    tops: list[list[Keys]] = [[] for _ in range(len(names) + 1)]
    for _, scores in _ranked(contenders, log, test.people, repeats):
        total = sum(np.float32(weight) * part for weight, part in zip(weights, scores, strict=True) if weight > 0)
        for kept, top in zip(tops, _top([*scores, np.asarray(total)]), strict=True):
            kept.append(top)
    return {name: _summary(np.concatenate(top), test, log) for name, top in zip([*names, "blend"], tops, strict=True)}


def _summary(top: Keys, asked: Question, log: Log) -> Figures:
    """Means with the half width of their 95 % interval, coverage of the catalogue, and novelty."""
    each = figures_of(top, asked, log.item_count)
    found = {name: round(float(values.mean()), 5) for name, values in each.items()}
    spread = {
        f"{name}_±": round(float(1.96 * values.std() / np.sqrt(max(len(values), 1))), 5)
        for name, values in each.items()
    }
    holders = np.bincount(log.matrix().indices, minlength=log.item_count)
    shown = top[:, : CUTS[0]]
    novelty = -np.log2((holders[shown] + 1) / (log.person_count + 1)).mean()
    coverage = len(np.unique(shown)) / max(log.item_count, 1)
    return {**found, **spread, "coverage@10": round(coverage, 5), "novelty@10": round(float(novelty), 3)}


def figures_of(top: Keys, asked: Question, item_count: int) -> dict[str, NDArray[np.float64]]:
    """Of each person: recall (the share of what was wanted), NDCG and hit rate of the first 10 and 20.

    `top`: a row for each of `asked.people`, best first.
    """
    people, place = np.unique(asked.asked, return_inverse=True)
    cells = np.unique(place * item_count + asked.wanted)
    counts = np.bincount(cells // item_count, minlength=len(people))
    hits = np.isin(np.arange(len(people))[:, None] * item_count + top, cells)
    discounts = 1 / np.log2(np.arange(2, _DEPTH + 2))
    found = {}
    for cut in CUTS:
        hit = hits[:, :cut]
        ideal = np.cumsum(discounts)[np.minimum(counts, cut) - 1]
        found[f"recall@{cut}"] = hit.sum(axis=1) / counts
        found[f"ndcg@{cut}"] = (hit * discounts[: hit.shape[1]]).sum(axis=1) / ideal
        found[f"hr@{cut}"] = hit.any(axis=1).astype(np.float64)
    return found


def as_document(result: Result) -> dict[str, Any]:
    """The result in JSON's types."""
    return {
        "people": result.people,
        "models": {name: dict(figures) for name, figures in result.figures.items()},
        "chosen": {entry.name: {**entry.settings, "validation_ndcg@20": entry.validated} for entry in result.entries},
        "blend": dict(result.blend),
    }
