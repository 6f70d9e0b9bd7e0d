"""From lines to tastes: how much each person likes, and how often they buy, each item.

The same arithmetic for one person in a request and for everybody in training: lines are grouped by a key (the item for
one person, person × items + item for all).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from services.recommend.domain.interactions import Kind
from services.recommend.domain.parameters import Parameters, kind_weights

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]

_WEIGHTS: Final = kind_weights()
_TINY: Final = np.float32(1e-6)
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

    def some(self, chosen: NDArray[np.bool_]) -> "Lines":
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
    keys, group = _grouped(lines.keys)
    ages = np.maximum(lines.ages, 0)
    bought = lines.kinds == Kind.BOUGHT
    kept = _kept_share(lines, bought, group, len(keys))
    others = _WEIGHTS[lines.kinds] * (lines.kinds != Kind.BOUGHT)
    recent = np.exp2(-ages / np.float32(parameters.affinity_half_life))
    frequent = np.exp2(-ages / np.float32(parameters.frequency_half_life)) * bought
    affinity = _sums(recent * bought, group, len(keys)) * kept + _sums(recent * others, group, len(keys))
    late = np.exp2(-ages / np.float32(parameters.lately_half_life)) * bought
    return Tastes(
        keys=keys,
        affinity=np.maximum(affinity, 0),
        frequency=_sums(frequent, group, len(keys)) * kept,
        lately=_sums(late, group, len(keys)) * kept,
        bought=(kept > 0) & (_sums(bought, group, len(keys)) > 0),
    )


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


def _grouped(keys: Keys) -> tuple[Keys, NDArray[np.int64]]:
    """The distinct keys, ascending, and for each key its place among them: numpy's unique() without its overhead."""
    order = keys.argsort(kind="stable")
    ascending = keys[order]
    is_new = np.ones(len(keys), dtype=bool)
    np.not_equal(ascending[1:], ascending[:-1], out=is_new[1:])
    group = np.empty(len(keys), dtype=np.int64)
    group[order] = is_new.cumsum() - 1
    return ascending[is_new], group


def _kept_share(lines: Lines, bought: NDArray[np.bool_], group: NDArray[Any], count: int) -> Floats:
    returned = lines.kinds == Kind.RETURNED
    if not returned.any():
        return np.ones(count, dtype=np.float32)
    got = _sums(lines.quantities * bought, group, count)
    back = _sums(lines.quantities * returned, group, count)
    share = 1 - back / np.maximum(got, _TINY)
    return np.where(back > 0, np.clip(share, 0, 1), np.float32(1)).astype(np.float32)


def _sums(values: NDArray[Any], group: NDArray[Any], count: int) -> Floats:
    return np.bincount(group, weights=values, minlength=count).astype(np.float32)
