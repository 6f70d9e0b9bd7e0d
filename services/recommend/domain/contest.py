"""A contest of models on one data set: each tuned on a part of train, then all of them, and a blend, against the test.

Every item is ranked, none sampled. The test is looked at once, at the end. Memory: the log's matrices, every model as
it is fitted, and 32 MB of scores for each. Time: tuning ends when it has taken as long as it may; then each family goes
on with the best settings so far, and what has not begun is left out, and named. Fitting and measuring come on top.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.blending import Blend, choose, lesson_of, pools, worthy
from services.recommend.domain.challengers.log import Contender, Keys, Log
from services.recommend.domain.families import FAMILIES, Family, Settings
from services.recommend.domain.questions import Figures, Question, figures_of, summary, tops
from services.recommend.domain.stacking import Facts, Lesson

TUNED_ON: Final = 2_000
_HELD_OUT_SHARE: Final = 0.2
_TO_TUNE: Final = 0.8  # of the time: then every family is content with the first of its settings
_HOPELESS: Final = 0.5  # a family that reaches less than this share of the best so far is not tuned further


@dataclass(frozen=True)
class Trial:
    """What is asked while tuning and in the test. `repeats`: what people have may come again, and all is ranked.

    `earlier`: what is asked of each of the earlier times that a learned blend may learn from, too.
    """

    held_out: Question
    test: Question
    repeats: bool
    earlier: Sequence[Question] = ()


@dataclass(frozen=True)
class Entry:
    """One model of the contest: the settings chosen, and their NDCG@20 on the validation part."""

    name: str
    settings: Settings
    validated: float


@dataclass(frozen=True)
class Result:
    """Figures of each model and of the blend on the test; `tops` the 20 best of each person asked, best first."""

    entries: Sequence[Entry]
    blend: Blend
    figures: Mapping[str, Figures]
    tops: Mapping[str, Keys]
    people: int
    left_out: Sequence[str] = ()


@dataclass(frozen=True)
class Limit:
    """How long tuning may take, in seconds of `clock`."""

    seconds: float = math.inf
    clock: Callable[[], float] = lambda: 0.0

    def over(self, began: float, share: float = 1.0) -> bool:
        """Whether so much of the time has gone by since the clock said `began`."""
        return self.clock() - began > self.seconds * share


def run(
    log: Log, past: Log, trials: Mapping[str, Trial], limit: Limit | None = None, earlier: Sequence[Log] = ()
) -> dict[str, Result]:
    """Tune on `past`, which is a part of `log`; fit on all of `log`; measure against each trial's test.

    What is fitted for one trial serves the others. `earlier`: parts of `past`, to each a question of each trial.
    """
    limit = limit or Limit()
    began, left_out = limit.clock(), list[str]()
    chosen: dict[str, dict[str, Entry]] = {name: {} for name in trials}
    fitted: dict[str, dict[str, Contender]] = {name: {} for name in trials}
    to_beat = dict.fromkeys(trials, 0.0)
    for family in FAMILIES:
        able = {name: trial for name, trial in trials.items() if family.suits(past, trial.repeats)}
        if able and limit.over(began):
            left_out.append(family.name)
            continue
        for name, entry in _tuned(family, past, able, to_beat, lambda: limit.over(began, _TO_TUNE)).items():
            to_beat[name] = max(to_beat[name], entry.validated)
            chosen[name][family.name] = entry
            fitted[name][family.name] = family.fit(past, entry.settings)
        past.forget()
    lessons = _lessons(chosen, earlier, trials)
    blends = {name: _blended(chosen[name], fitted[name], past, trial, lessons[name]) for name, trial in trials.items()}
    del fitted, lessons
    final = _refitted(chosen, log)
    return {
        name: replace(_measured(list(chosen[name].values()), final[name], blends[name], log, trial), left_out=left_out)
        for name, trial in trials.items()
    }


def trial_of(log: Log, test: Question, *, repeats: bool, seed: int = 7, sample: int = TUNED_ON) -> tuple[Log, Trial]:
    """What is learned from while tuning, and what is asked then: some people's last visits, or a fifth of their items.

    `sample`: how many people at most. Raises ValueError where nobody has enough of them.
    """
    draw = np.random.default_rng(seed)
    counts = np.bincount(log.people, minlength=log.person_count)
    able = np.flatnonzero(log.last_visits > 0 if log.ordered else counts >= 2)
    if len(able) == 0:
        raise ValueError("nobody has two visits (or items) in train: there is nothing to tune on")
    chosen = np.zeros(log.person_count, dtype=bool)
    chosen[draw.choice(able, min(sample, len(able)), replace=False)] = True
    out = chosen[log.people]
    out &= (log.since == 0) if log.ordered else _share_of_each(log, counts, draw)
    past = log.only(~out)
    return past, Trial(unknown(past, log.people[out], log.items[out], repeats=repeats), test, repeats)


def unknown(past: Log, people: Keys, items: Keys, *, repeats: bool) -> Question:
    """What each person took; without `repeats` only what they did not have."""
    if not repeats:
        had = past.people * past.item_count + past.items
        fresh = ~np.isin(people * past.item_count + items, had)
        people, items = people[fresh], items[fresh]
    return Question.of(people, items)


def _share_of_each(log: Log, counts: Keys, draw: np.random.Generator) -> NDArray[np.bool_]:
    order = np.lexsort((draw.random(len(log)), log.people))
    first = np.cumsum(counts) - counts
    place = np.empty(len(log), dtype=np.int64)
    place[order] = np.arange(len(log)) - first[log.people[order]]
    chosen: NDArray[np.bool_] = place < np.maximum(1, counts[log.people] * _HELD_OUT_SHARE)
    return chosen


def _tuned(
    family: Family, past: Log, trials: Mapping[str, Trial], to_beat: Mapping[str, float], ended: Callable[[], bool]
) -> dict[str, Entry]:
    """The best settings for each trial, one kind of setting after the other, the others as they are best so far."""
    known: dict[tuple[tuple[str, Any], ...], dict[str, float]] = {}
    best: dict[str, tuple[float, Settings]] = {}
    for settings in _tries(family, past, trials, to_beat, best):
        key = tuple(sorted(settings.items()))
        if key in known or (known and ended()):
            continue
        contender = family.fit(past, settings)
        known[key] = {name: _quality(contender, past, trial) for name, trial in trials.items()}
        for name, quality in known[key].items():
            if name not in best or quality > best[name][0]:
                best[name] = quality, settings
    return {name: Entry(family.name, settings, quality) for name, (quality, settings) in best.items()}


def _tries(
    family: Family,
    past: Log,
    trials: Mapping[str, Trial],
    to_beat: Mapping[str, float],
    best: Mapping[str, tuple[float, Settings]],
) -> Iterator[Settings]:
    for stage in family.stages(past):
        far = {name for name, (quality, _) in best.items() if quality < _HOPELESS * to_beat[name]}
        starts = [best[name][1] if best else {} for name in trials if name not in far]
        yield from ({**start, **change} for change in stage for start in starts)


def _quality(contender: Contender, past: Log, trial: Trial) -> float:
    asked = trial.held_out
    top = tops(contender, past, asked.people, repeats=trial.repeats)
    return float(figures_of(top, asked)["ndcg@20"].mean())


def _refitted(chosen: Mapping[str, Mapping[str, Entry]], log: Log) -> dict[str, dict[str, Contender]]:
    """What was chosen for each trial, fitted to another time."""
    found: dict[str, dict[str, Contender]] = {name: {} for name in chosen}
    for family in FAMILIES:
        for name, entries in chosen.items():
            if family.name in entries:
                found[name][family.name] = family.fit(log, entries[family.name].settings)
        log.forget()
    return found


def _lessons(
    chosen: Mapping[str, Mapping[str, Entry]], earlier: Sequence[Log], trials: Mapping[str, Trial]
) -> dict[str, list[Lesson]]:
    found: dict[str, list[Lesson]] = {name: [] for name in trials}
    orders = {name: worthy(_validated(entries)) for name, entries in chosen.items()}
    able = {name: {some: chosen[name][some] for some in order} for name, order in orders.items() if len(order) > 1}
    for number, log in enumerate(earlier):
        for name, models in _refitted(able, log).items():
            asked, repeats = trials[name].earlier[number], trials[name].repeats
            found[name].append(lesson_of(models, orders[name], log, asked, repeats=repeats))
        log.forget()
    return found


def _validated(entries: Mapping[str, Entry]) -> dict[str, float]:
    return {name: entry.validated for name, entry in entries.items()}


def _blended(
    chosen: Mapping[str, Entry],
    fitted: Mapping[str, Contender],
    past: Log,
    trial: Trial,
    lessons: Sequence[Lesson],
) -> Blend:
    return choose(fitted, _validated(chosen), past, trial.held_out, repeats=trial.repeats, lessons=lessons)


def _measured(
    entries: Sequence[Entry], fitted: Mapping[str, Contender], blend: Blend, log: Log, trial: Trial
) -> Result:
    people, pooled, facts = trial.test.people, list(blend.weights), Facts.of(log)
    parts: dict[str, list[Keys]] = {name: [] for name in (*fitted, "blend")}
    for tops_, pool in pools(fitted, log, people, repeats=trial.repeats, pooled=pooled):
        tops_["blend"] = tops_[pooled[0]] if len(pooled) == 1 else blend.best(pool, facts)
        for name, top in tops_.items():
            parts[name].append(top)
    found = {name: np.concatenate(some) for name, some in parts.items()}
    figures = {name: summary(top, trial.test, log) for name, top in found.items()}
    return Result(entries, blend, figures, found, len(people))


def as_document(result: Result) -> dict[str, Any]:
    """The result in JSON's types."""
    return {
        "people": result.people,
        "models": {name: dict(figures) for name, figures in result.figures.items()},
        "chosen": {entry.name: {**entry.settings, "validation_ndcg@20": entry.validated} for entry in result.entries},
        "left_out": list(result.left_out),
        "blend": dict(result.blend.weights),
        "blended_by": "trees" if result.blend.learned else "place" if result.blend.by_place else "score",
    }
