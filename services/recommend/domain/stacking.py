"""A learned blend: gradient boosted trees over how each model ranks an item, and over the plain facts beside it.

What makes a model right is not the same for everybody: the trees see how much a person has done, how known an item is,
how much of its kind they take (K. Xu et al. and many since: "stacking", D. Wolpert 1992, for rankings).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import lightgbm
import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.challengers.affinity import lifts
from services.recommend.domain.challengers.firsts import shares
from services.recommend.domain.challengers.log import Floats, Keys, Log

_TINY: Final = np.float32(1e-4)
_HALF_LIVES: Final = (3.0, 7.0, 14.0, 28.0, 56.0)  # days
_RARELY: Final = 1e-5
_TREES: Final = {
    "objective": "binary",
    "learning_rate": 0.03,
    "num_leaves": 15,
    "min_data_in_leaf": 500,
    "max_bin": 127,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.6,
    "bagging_freq": 1,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 20_170_101,
    "verbose": -1,
}
_ROUNDS: Final = 300


@dataclass(frozen=True)
class Facts:
    """What is known without a model: a row of figures for each item, and for each person."""

    items: Floats
    people: Floats
    lifts: Sequence[tuple[Floats, Keys]]

    @classmethod
    def of(cls, log: Log) -> "Facts":
        """The facts of a log."""
        size = log.item_count
        counts = np.bincount(log.items, minlength=size)
        columns = [np.log1p(log.holders), np.log((counts + 1) / (log.holders + 1))]
        if log.days is not None:
            weights = (np.exp2(-np.maximum(log.days, 0) / days) for days in _HALF_LIVES)
            columns += [np.log(np.bincount(log.items, weights=some, minlength=size) + 0.1) for some in weights]
            columns += [np.log(shares(log, days) + _RARELY) for days in _HALF_LIVES]
            first = np.zeros(size)
            np.maximum.at(first, log.items, log.days)
            columns.append(np.log1p(first))
        lines = np.bincount(log.people, minlength=log.person_count)
        people = [np.log1p(lines), np.log1p(np.diff(log.matrix().indptr)), np.log1p(log.last_visits + 1)]
        tables = [(lifts(log, groups), groups) for groups in log.groups.values()]
        return cls(_table(columns), _table(people), log.once("facts", lambda: tables))

    def beside(self, people: Keys, items: Keys) -> Floats:
        """For people and items side by side: their facts, and how much more of the item's groups the person takes."""
        tastes = [np.log(table[people, groups[items]])[:, None] for table, groups in self.lifts]
        return np.concatenate([self.items[items], self.people[people], *tastes], axis=1)


def _table(columns: Sequence[NDArray[np.float64]]) -> Floats:
    return np.stack(columns, axis=1).astype(np.float32)


@dataclass(frozen=True)
class Candidates:
    """`keys` people × places: items that some model ranks high, with each model's scores and places for them.

    `closed` below 0: not to be shown, or twice in the row.
    """

    people: Keys
    keys: Keys
    scores: Mapping[str, Floats]
    places: Mapping[str, Floats]
    closed: Floats

    @property
    def open(self) -> NDArray[np.bool_]:
        """Which of them may be shown."""
        there: NDArray[np.bool_] = self.closed >= 0
        return there

    def evidence(self, names: Sequence[str], facts: Facts) -> Floats:
        """A row for each that is open, row by row."""
        there = self.open
        people = np.broadcast_to(self.people[:, None], self.keys.shape)[there]
        own = [np.log(np.maximum(self.scores[name][there], 0) + _TINY) for name in names]
        own += [self.places[name][there] for name in names]
        return np.concatenate([np.stack(own, axis=1), facts.beside(people, self.keys[there])], axis=1)


@dataclass(frozen=True)
class Lesson:
    """Candidates of the past as rows: whose each is, evidence() of it, and whether it was wanted."""

    people: Keys
    table: Floats
    hits: NDArray[np.bool_]

    def of(self, half: int) -> "Lesson":
        """That of the people whose number is even (0) or odd (1)."""
        chosen = self.people % 2 == half
        return Lesson(self.people[chosen], self.table[chosen], self.hits[chosen])


Ranker = Callable[[Candidates, Facts], Floats]


def learn(names: Sequence[str], lessons: Sequence[Lesson]) -> Ranker:
    """Trees that tell what was wanted. What they give is people × places, higher is better, −inf where closed."""
    wanted = np.concatenate([lesson.hits for lesson in lessons]).astype(np.float32)
    taught = lightgbm.Dataset([lesson.table for lesson in lessons], wanted)
    trees = lightgbm.train(_TREES, taught, num_boost_round=_ROUNDS)

    def rank(candidates: Candidates, facts: Facts) -> Floats:
        scores = np.full(candidates.keys.shape, -np.inf, dtype=np.float32)
        scores[candidates.open] = trees.predict(candidates.evidence(names, facts), raw_score=True)
        return scores

    return rank
