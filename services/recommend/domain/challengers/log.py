"""What people took, visit by visit: the one shape that all contenders learn from."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]
T = TypeVar("T")


class Contender(Protocol):
    """A fitted model. Scores of people it knows nothing of are all 0."""

    def scores(self, people: Keys) -> Floats:
        """Their scores of every item: people × items, higher is better, an array of the caller's own."""
        ...


@dataclass(frozen=True)
class Log:
    """Lines in order of person, then visit: `people` and `items` count from 0, `visits` from a person's first.

    `ordered` False: visits mean nothing. `days`: when each line was, in days before the newest; None where unknown.
    `groups`: by what an item is grouped (category, brand …) the number of each item's group, from 0.
    """

    people: Keys
    items: Keys
    visits: Keys
    person_count: int
    item_count: int
    ordered: bool = True
    days: NDArray[np.float64] | None = None
    groups: Mapping[str, Keys] = field(default_factory=dict)
    _kept: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, people: dict[int, Sequence[Sequence[int]]], item_count: int) -> "Log":
        """From the visits of each person, each a sequence of items (for small logs, and tests)."""
        lines = [
            (person, item, number)
            for person, visits in sorted(people.items())
            for number, visit in enumerate(visits)
            for item in visit
        ]
        columns = np.array(lines, dtype=np.int64).reshape(-1, 3).T
        return cls(columns[0], columns[1], columns[2], max(people, default=-1) + 1, item_count)

    def __len__(self) -> int:
        return len(self.people)

    def only(self, chosen: NDArray[np.bool_]) -> "Log":
        """Some of the lines."""
        days = None if self.days is None else self.days[chosen]
        kept = self.people[chosen], self.items[chosen], self.visits[chosen]
        return Log(*kept, self.person_count, self.item_count, self.ordered, days, self.groups)

    def once(self, name: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, kept as long as the log: several settings of a model share what costs most."""
        if name not in self._kept:
            self._kept[name] = make()
        found: T = self._kept[name]
        return found

    def forget(self) -> None:
        """Let go of what once() keeps."""
        self._kept.clear()

    @cached_property
    def last_visits(self) -> Keys:
        """The number of each person's last visit; −1 where there is none."""
        last = np.full(self.person_count, -1, dtype=np.int64)
        last[self.people] = self.visits  # in order of visit: the last stays
        return last

    @cached_property
    def since(self) -> Keys:
        """How many visits of the same person came after each line's."""
        return self.last_visits[self.people] - self.visits

    @cached_property
    def holders(self) -> Keys:
        """How many people took each item."""
        return np.bincount(self.matrix().indices, minlength=self.item_count)

    @cached_property
    def _cells(self) -> tuple[Keys, Keys, NDArray[np.int32], NDArray[np.int32]]:
        """The lines in order of person and item, where each distinct pair of them begins, and the matrix's shape."""
        cells = self.people * self.item_count + self.items
        order = np.argsort(cells, kind="stable")
        cells = cells[order]
        starts = np.flatnonzero(np.concatenate([np.ones(min(len(cells), 1), dtype=bool), cells[1:] != cells[:-1]]))
        rows, columns = np.divmod(cells[starts], max(self.item_count, 1))
        pointers = np.searchsorted(rows, np.arange(self.person_count + 1)).astype(np.int32)
        return order, starts, columns.astype(np.int32), pointers

    @cached_property
    def firsts(self) -> Keys:
        """The places of the lines by which somebody took an item for the first time."""
        order, starts, *_ = self._cells
        return order[starts]

    def recent(self, half_life: float) -> sp.csr_matrix:
        """People × items: 1, halved with each `half_life` (in days) since the last time. Without days, matrix()."""
        if self.days is None or not len(self):
            return self.matrix()
        order, starts, columns, pointers = self._cells
        weights = np.exp2(-self.days / half_life).astype(np.float32)
        values = np.maximum.reduceat(weights[order], starts)
        return sp.csr_matrix((values, columns, pointers), shape=(self.person_count, self.item_count))

    def matrix(self, decay: float = 1.0, *, repeats: bool = False) -> sp.csr_matrix:
        """People × items: 1, times `decay` for each later visit, of the last time (`repeats`: the sum over all times).

        Without an order every entry is 1. Its arrays are shared: do not write into them.
        """
        order, starts, columns, pointers = self._cells
        weights = np.full(len(self), 1, dtype=np.float32)
        if self.ordered and decay < 1:
            weights = np.power(np.float32(decay), self.since.astype(np.float32))
        if not len(self):
            values = weights
        elif repeats:
            values = np.add.reduceat(weights[order], starts)
        else:
            values = weights[order[np.concatenate([starts[1:], [len(self)]]) - 1]]
        return sp.csr_matrix((values, columns, pointers), shape=(self.person_count, self.item_count))
