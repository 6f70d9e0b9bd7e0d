"""What is due: how likely each thing somebody takes again and again is in their next visit, by their own rhythm of it.

A logistic regression, learned from the latest visits of all: each is foretold from the visits before it. What it looks
at are the counts, the gaps and the time since, of this person with this item, and how often the item comes again at all
(after A. Anderson et al., "The Dynamics of Repeat Consumption", WWW 2014, and M. Ariannezhad et al., "ReCANet: A Repeat
Consumption-Aware Neural Network for Next Basket Recommendation in Grocery Shopping", SIGIR 2022).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from services.recommend.domain.challengers.log import Floats, Keys, Log

_MOST_PEOPLE: Final = 5_000  # whose visits it is learned from
_LINES_A_TIME: Final = 2_000_000
_DECAYS: Final = (0.98, 0.9, 0.8, 0.6)
_TINY: Final = 1e-3


@dataclass(frozen=True)
class Rhythm:
    """`chances` people × items: of what each had, the chance that it is in their next visit."""

    chances: sp.csr_matrix

    def scores(self, people: Keys) -> Floats:
        """See Contender."""
        found: Floats = self.chances[people].toarray()
        return found


def fit(log: Log, visits: int = 3) -> Rhythm:
    """Learned from the last `visits` of each of at most 5,000 people. Nothing to learn from: by frequency.

    Memory: the evidence of two million lines at a time.
    """
    learned = log.once(("rhythm", visits), lambda: _learned(log, visits))
    if learned is None:
        return Rhythm(log.matrix(0.95, repeats=True))
    general = _of_items(log)
    parts = [_chances(log.only(part), general, learned) for part in _parts(log)]
    return Rhythm(sp.csr_matrix(sum(parts[1:], parts[0])))


@dataclass(frozen=True)
class _Learned:
    mean: Floats
    spread: Floats
    weights: Floats
    bias: float


def _learned(log: Log, visits: int) -> _Learned | None:
    able = np.flatnonzero(log.last_visits > 0)
    able = able[np.linspace(0, len(able) - 1, min(len(able), _MOST_PEOPLE)).astype(np.int64)]
    evidence, came = [], []
    for back in range(visits):
        past, asked, wanted = _before(log, back, able)
        pairs = Pairs.of(past.only(asked[past.people]), _of_items(past))
        if len(pairs.people):
            evidence.append(pairs.evidence)
            came.append(np.isin(pairs.people * log.item_count + pairs.items, wanted))
    if not came or len(np.unique(np.concatenate(came))) < 2:  # nothing ever came again, or all did
        return None
    table = np.concatenate(evidence)
    mean, spread = table.mean(axis=0), np.maximum(table.std(axis=0), np.float32(_TINY))
    fitted = LogisticRegression(max_iter=200).fit((table - mean) / spread, np.concatenate(came))
    return _Learned(mean, spread, fitted.coef_[0].astype(np.float32), float(fitted.intercept_[0]))


def _parts(log: Log) -> Iterator[NDArray[np.bool_]]:
    ends = np.searchsorted(log.people, np.arange(log.person_count), side="right")
    part = (ends // _LINES_A_TIME)[log.people]
    for number in range(int(part.max(initial=0)) + 1):
        yield part == number


def _chances(log: Log, general: Floats, learned: _Learned) -> sp.csr_matrix:
    pairs = Pairs.of(log, general)
    odds = ((pairs.evidence - learned.mean) / learned.spread) @ learned.weights + learned.bias
    chances = (1 / (1 + np.exp(-odds))).astype(np.float32)
    return sp.csr_matrix((chances, (pairs.people, pairs.items)), shape=(log.person_count, log.item_count))


def _before(log: Log, back: int, able: Keys) -> tuple[Log, NDArray[np.bool_], Keys]:
    """What was known before each person's visit `back` from the last, those of `able` who have one, and its items."""
    target = log.since == back
    chosen = np.zeros(log.person_count, dtype=bool)
    chosen[able] = True
    past = log.only(log.since > back)
    asked = np.zeros(log.person_count, dtype=bool)
    asked[log.people[target]] = True
    asked &= chosen
    if log.days is not None and past.days is not None:
        now = np.zeros(log.person_count)
        now[log.people[target]] = log.days[target]
        days = past.days - now[past.people]
        past = Log(past.people, past.items, past.visits, log.person_count, log.item_count, log.ordered, days)
    return past, asked, log.people[target] * log.item_count + log.items[target]


@dataclass(frozen=True)
class Pairs:
    """Each person with each of their items, and the evidence of it: a row of figures."""

    people: Keys
    items: Keys
    evidence: Floats

    @classmethod
    def of(cls, log: Log, general: Floats) -> "Pairs":
        """All pairs of a log; `general`: what is known of each item, items × figures."""
        cells = log.people * log.item_count + log.items
        order = np.argsort(cells, kind="stable")
        cells = cells[order]
        starts = np.flatnonzero(np.concatenate([np.ones(min(len(cells), 1), dtype=bool), cells[1:] != cells[:-1]]))
        if not len(starts):
            return cls(log.people[:0], log.items[:0], np.empty((0, 0), dtype=np.float32))
        people, items = np.divmod(cells[starts], max(log.item_count, 1))
        ends = np.concatenate([starts[1:], [len(cells)]]) - 1
        columns = _counts(log, order, starts, ends, people)
        own = np.stack([column.astype(np.float32) for column in columns], axis=1)
        return cls(people, items, np.concatenate([own, general[items]], axis=1))


def _counts(log: Log, order: Keys, starts: Keys, ends: Keys, people: Keys) -> list[NDArray[np.float64]]:
    """In visits: how often, how long ago, how regularly; and what remains of it by several decays.

    Not in days: those since the last visit are all that there were before a visit to learn from, but not before now.
    """
    count = (ends - starts + 1).astype(np.float64)
    visits, all_visits = log.visits[order], (log.last_visits[people] + 1).astype(np.float64)
    since, life = all_visits - 1 - visits[ends], all_visits - visits[starts]
    often, late = np.log1p(count), np.log1p(since)
    gap = (visits[ends] - visits[starts]) / np.maximum(count - 1, 1)
    due = np.where(count > 1, np.log((since + 0.5) / (gap + 0.5)), 0)
    once = (count == 1).astype(np.float64)
    back = log.since[order].astype(np.float64)
    decayed = [np.log(np.add.reduceat(np.power(decay, back), starts) + _TINY) for decay in _DECAYS]
    rows = np.bincount(log.people, minlength=log.person_count)[people] / all_visits
    found = [often, often**2, late, often * late, np.log1p(life), np.log(count / life), due, due**2, once, once * late]
    return [*found, np.where(count > 1, np.log1p(gap), 0), *decayed, np.log(all_visits), np.log(rows)]


def _of_items(log: Log) -> Floats:
    """How often an item comes again, whoever takes it, and how much it is wanted: items × figures."""
    size = log.item_count
    cells, counts = np.unique(log.people * size + log.items, return_counts=True)
    people, items = np.divmod(cells, size)
    holders = np.bincount(items, minlength=size)
    again = np.bincount(items, weights=counts > 1, minlength=size)
    chances = np.bincount(items, weights=log.last_visits[people] + 1.0, minlength=size)
    total = np.bincount(items, weights=counts, minlength=size)
    columns = [np.log((again + 1) / (holders + 5)), np.log((total + 0.5) / (chances + 20))]
    if log.days is not None:
        recent = np.bincount(log.items, weights=np.exp2(-np.maximum(log.days, 0) / 14), minlength=size)
        columns.append(np.log(recent + 0.1))
    return np.stack(columns, axis=1).astype(np.float32)
