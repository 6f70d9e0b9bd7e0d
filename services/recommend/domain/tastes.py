"""From lines to tastes: how much each person likes, and how often they buy, each item.

The same arithmetic for one person in a request and for everybody in training: lines are grouped by a key (the item for
one person, person × items + item for all).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from services.recommend.domain.compiled import FLOATS, KEYS, KINDS, THREE_FLOATS, compiled
from services.recommend.domain.interactions import Kind
from services.recommend.domain.parameters import Parameters, kind_weights

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]

_WEIGHTS: Final = kind_weights()
_TINY: Final = np.float32(1e-6)
_BOUGHT, _RETURNED = int(Kind.BOUGHT), int(Kind.RETURNED)
_COLUMNS: Final = ("keys", "kinds", "quantities", "ages")


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines as columns of equal length. `keys` int64, `kinds` int16, `quantities` float32, `ages` in days (float32)."""

    keys: Keys
    kinds: NDArray[np.int16]
    quantities: Floats
    ages: Floats

    @classmethod
    def of(cls, keys: Sequence[int], kind: Kind) -> "Lines":
        """One line of this kind for each key, just now (what a request says about its moment)."""
        count = len(keys)
        return cls(
            np.asarray(keys, dtype=np.int64),
            np.full(count, kind, dtype=np.int16),
            np.ones(count, dtype=np.float32),
            np.zeros(count, dtype=np.float32),
        )

    def some(self, chosen: NDArray[np.bool_] | Keys | slice) -> "Lines":
        """Some of the lines."""
        return Lines(self.keys[chosen], self.kinds[chosen], self.quantities[chosen], self.ages[chosen])

    def aged(self, days: Floats | float) -> "Lines":
        """The same, so many days older."""
        return Lines(self.keys, self.kinds, self.quantities, (self.ages + days).astype(np.float32))

    def __add__(self, other: "Lines") -> "Lines":
        if not len(other.keys):
            return self
        return Lines(
            np.concatenate([self.keys, other.keys]),
            np.concatenate([self.kinds, other.kinds]),
            np.concatenate([self.quantities, other.quantities]),
            np.concatenate([self.ages, other.ages]),
        )


EMPTY: Final = Lines.of((), Kind.VIEWED)


@dataclass(frozen=True, slots=True)
class Tastes:
    """Per distinct key, ascending: affinity ≥ 0, purchase frequency ≥ 0, and whether it was bought and kept.

    `lately`: the same frequency, decayed fast.
    """

    keys: Keys
    affinity: Floats
    frequency: Floats
    lately: Floats
    bought: NDArray[np.bool_]


def tastes(lines: Lines, parameters: Parameters) -> Tastes:
    """What the lines say about each key.

    Purchases count by the line, not by the piece; the part of the pieces that came back is taken off. A thing put into
    the cart and taken out again counts less than one left there.
    """
    halves = parameters.affinity_half_life, parameters.frequency_half_life, parameters.lately_half_life
    order = lines.keys.argsort(kind="stable")
    return Tastes(*_grouped(order, lines.keys, lines.kinds, lines.quantities, lines.ages, _WEIGHTS, halves))


def tastes_of_many(people: Sequence[Lines], parameters: Parameters) -> list[Tastes]:
    """The same for many people at once, each as alone."""
    if len(people) < 2:
        return [tastes(lines, parameters) for lines in people]
    counts = [len(lines.keys) for lines in people]
    together = Lines(*(np.concatenate([getattr(lines, column) for lines in people]) for column in _COLUMNS))
    size = int(together.keys.max(initial=0)) + 1
    together.keys[:] += np.repeat(np.arange(len(people)), counts) * size
    found = tastes(together, parameters)
    bounds = np.searchsorted(found.keys, np.arange(len(people) + 1) * size).tolist()
    keys = found.keys % size
    parts = (slice(first, last) for first, last in pairwise(bounds))
    return [
        Tastes(keys[part], found.affinity[part], found.frequency[part], found.lately[part], found.bought[part])
        for part in parts
    ]


def as_matrix(keys: Keys, values: Floats, people: int, items: int) -> sp.csr_matrix:
    """Grouped values (keys = person × items + item, ascending) as a people × items matrix without its zeros."""
    there = values > _TINY
    rows, columns = np.divmod(keys[there], items)
    pointers = np.searchsorted(rows, np.arange(people + 1)).astype(np.int32)
    return sp.csr_matrix((values[there], columns.astype(np.int32), pointers), shape=(people, items))


@compiled(*(KEYS, KEYS, KINDS, FLOATS, FLOATS, FLOATS), THREE_FLOATS)
def _grouped(
    order: Keys,
    keys: Keys,
    kinds: NDArray[np.int16],
    quantities: Floats,
    ages: Floats,
    weights: Floats,
    half_lives: tuple[float, float, float],
) -> tuple[Keys, Floats, Floats, Floats, NDArray[np.bool_]]:
    """The columns of Tastes. `order` sorts the keys: the lines of one key are summed one after the other.

    `half_lives`: of affinity, frequency, and the latest frequency, in days.
    """
    affinity_half_life, frequency_half_life, lately_half_life = half_lives
    groups = 0
    for place in range(len(order)):
        groups += place == 0 or keys[order[place]] != keys[order[place - 1]]
    distinct = np.empty(groups, dtype=np.int64)
    affinity, frequency, lately = np.empty((3, groups), dtype=np.float32)
    kept = np.empty(groups, dtype=np.bool_)
    place = 0
    for group in range(groups):
        distinct[group] = keys[order[place]]
        recent = others = often = late = got = back = 0.0
        bought = False
        while place < len(order) and keys[order[place]] == distinct[group]:
            line = order[place]
            age, kind = max(ages[line], 0.0), kinds[line]
            decayed = 2.0 ** (-age / affinity_half_life)
            if kind == _BOUGHT:
                bought = True
                got += quantities[line]
                recent += weights[kind] * decayed
                often += 2.0 ** (-age / frequency_half_life)
                late += 2.0 ** (-age / lately_half_life)
            else:
                others += weights[kind] * decayed
                back += quantities[line] if kind == _RETURNED else 0.0
            place += 1
        share = min(max(1 - back / max(got, float(_TINY)), 0.0), 1.0) if back > 0 else 1.0
        affinity[group] = max(recent * share + others, 0.0)
        frequency[group], lately[group] = often * share, late * share
        kept[group] = bought and share > 0
    return distinct, affinity, frequency, lately, kept
