"""What people took, visit by visit: the one shape that all contenders learn from."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]


class Contender(Protocol):
    """A fitted model. Scores of people it knows nothing of are all 0."""

    def scores(self, people: Keys) -> Floats:
        """Their scores of every item: people × items, higher is better."""
        ...


@dataclass(frozen=True)
class Log:
    """Lines in order of person, then visit: `people` and `items` count from 0, `visits` from a person's first.

    `ordered` False: visits mean nothing. `days`: when each line was, in days before the newest; None where unknown.
    """

    people: Keys
    items: Keys
    visits: Keys
    person_count: int
    item_count: int
    ordered: bool = True
    days: NDArray[np.float64] | None = None

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
        return Log(*kept, self.person_count, self.item_count, self.ordered, days)

    @cached_property
    def last_visits(self) -> Keys:
        """The number of each person's last visit; −1 where there is none."""
        last = np.full(self.person_count, -1, dtype=np.int64)
        np.maximum.at(last, self.people, self.visits)
        return last

    @cached_property
    def since(self) -> Keys:
        """How many visits of the same person came after each line's."""
        return self.last_visits[self.people] - self.visits

    def matrix(self, decay: float = 1.0, *, repeats: bool = False) -> sp.csr_matrix:
        """People × items: 1, times `decay` for each later visit, of the last time (`repeats`: the sum over all times).

        Without an order every entry is 1.
        """
        weights = np.full(len(self), 1, dtype=np.float32)
        if self.ordered and decay < 1:
            weights = np.power(np.float32(decay), self.since.astype(np.float32))
        cells = self.people * self.item_count + self.items
        distinct, place = np.unique(cells, return_inverse=True)
        values = np.zeros(len(distinct), dtype=np.float32)
        if repeats:
            values = np.bincount(place, weights=weights, minlength=len(distinct)).astype(np.float32)
        else:
            np.maximum.at(values, place, weights)
        rows, columns = np.divmod(distinct, max(self.item_count, 1))
        pointers = np.searchsorted(rows, np.arange(self.person_count + 1))
        return sp.csr_matrix((values, columns, pointers), shape=(self.person_count, self.item_count))
