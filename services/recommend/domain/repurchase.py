"""How likely a thing is bought again, learned from everybody's last visits, each foretold from those before it.

again.py serves it: a logistic regression on how often, how lately and how regularly somebody took a thing, how often it
comes again with anybody, and how much it is wanted now.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from services.recommend.domain.again import FIGURES, SAME_VISIT, Again, evidence
from services.recommend.domain.histories import History
from services.recommend.domain.interactions import Kind
from services.recommend.domain.tastes import Lines

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]

MOST_PEOPLE: Final = 5_000
_VISITS: Final = 3  # of each person, the last
_FEWEST: Final = 200  # things bought that came again, to learn from
_LATELY: Final = 14.0  # days, a half-life
_TINY: Final = np.float32(1e-3)


@dataclass(frozen=True)
class _Bought:
    """All purchases in order of person, the newest first. `since`: how many visits of the same person came after."""

    people: Keys
    lines: Lines
    since: Keys
    starts: Keys

    @classmethod
    def of(cls, history: History) -> "_Bought":
        bought = np.flatnonzero(history.lines.kinds == Kind.BOUGHT)
        order = bought[np.lexsort((history.lines.ages[bought], history.people[bought]))]
        people = history.people[order]
        lines = Lines(*(getattr(history.lines, name)[order] for name in ("keys", "kinds", "quantities", "ages")))
        new = np.diff(lines.ages, prepend=np.float32(0)) > SAME_VISIT
        first = np.diff(people, prepend=-1) != 0
        visit = np.cumsum(new | first)
        starts = np.searchsorted(people, np.arange(history.person_count + 1))
        return cls(people, lines, visit - visit[np.minimum(starts[people], len(people) - 1)], starts)


def learn(history: History) -> Again | None:
    """From the last three visits of at most 5,000 people; None where too little comes again to learn from.

    Memory: 80 bytes for each thing that each of them bought, three times.
    """
    bought = _Bought.of(history)
    asked = np.flatnonzero(np.diff(bought.starts))
    if len(asked) > MOST_PEOPLE:
        asked = asked[np.linspace(0, len(asked) - 1, MOST_PEOPLE).astype(np.int64)]
    tables, came = [np.empty((0, FIGURES + 3), dtype=np.float32)], [np.empty(0, dtype=np.bool_)]
    for back in range(_VISITS):
        general = _of_items(bought, back, history)
        for person in asked.tolist():
            own = slice(bought.starts[person], bought.starts[person + 1])
            wanted, before = (own.start + np.searchsorted(bought.since[own], back + more) for more in (0, 1))
            if before < own.stop:
                past = bought.lines.some(slice(before, own.stop))
                keys, table = evidence(past.keys, past.kinds, past.ages)
                tables.append(np.concatenate([table, general[keys]], axis=1))
                came.append(np.isin(keys, bought.lines.keys[wanted:before]))
    return _fitted(np.concatenate(tables), np.concatenate(came), _of_items(bought, -1, history))


def _fitted(table: Floats, came: NDArray[np.bool_], general: Floats) -> Again | None:
    if not _FEWEST <= came.sum() < len(came):
        return None
    mean, spread = table.mean(axis=0), np.maximum(table.std(axis=0), _TINY)
    found = LogisticRegression(max_iter=200).fit((table - mean) / spread, came)
    weights = (found.coef_[0] / spread).astype(np.float32)
    bias = float(found.intercept_[0] - mean @ weights)
    of_items = (general @ weights[FIGURES:] + bias).astype(np.float32)
    unknown = float(_figures(*np.zeros((5, 1)))[0] @ weights[FIGURES:] + bias)
    return Again(weights[:FIGURES], of_items, unknown)


def _of_items(bought: _Bought, back: int, history: History) -> Floats:
    """What was known of the items before everybody's visit `back` from the last (−1: now): items × figures.

    How many of those who have one took it in several visits, how often it is taken by them in all their visits, how
    much it was taken lately. Ages are as of that visit.
    """
    size = history.item_count
    then = np.full(history.person_count, np.inf)
    at = bought.since == back
    np.minimum.at(then, bought.people[at], bought.lines.ages[at])
    past = bought.since > back
    people, keys, since = bought.people[past], bought.lines.keys[past], bought.since[past]
    now = np.where(np.isinf(then), 0, then)[people]
    ages = np.maximum(bought.lines.ages[past] - now, 0)
    visits = np.zeros(history.person_count)
    np.maximum.at(visits, people, since - back)
    span = int(since.max(initial=0)) + 1
    cells, counts = np.unique(np.unique((people * size + keys) * span + since) // span, return_counts=True)
    takers, items = np.divmod(cells, max(size, 1))
    return _figures(
        np.bincount(items, minlength=size),
        np.bincount(items, weights=counts > 1, minlength=size),
        np.bincount(items, weights=counts, minlength=size),
        np.bincount(items, weights=visits[takers], minlength=size),
        np.bincount(keys, weights=np.exp2(-ages / _LATELY), minlength=size),
    )


def _figures(
    holders: NDArray[Any], several: NDArray[Any], total: NDArray[Any], visits: NDArray[Any], lately: NDArray[Any]
) -> Floats:
    columns = np.log((several + 1) / (holders + 5)), np.log((total + 0.5) / (visits + 20)), np.log(lately + 0.1)
    return np.stack(columns, axis=1).astype(np.float32)
