"""Everybody's lines, for training."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.tastes import Lines


@dataclass(frozen=True)
class History:
    """Lines as columns: `people` are numbers from 0 (int64), `lines.keys` item keys, `lines.ages` days before now.

    `countries`: the people of each country, where it is known.
    """

    people: NDArray[np.int64]
    lines: Lines
    person_count: int
    item_count: int
    countries: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.people)

    @property
    def shape(self) -> tuple[int, int]:
        """People × items."""
        return self.person_count, self.item_count

    def grouped(self) -> Lines:
        """The lines, keyed by person × items + item."""
        keys = self.people * self.item_count + self.lines.keys
        return Lines(keys, self.lines.kinds, self.lines.quantities, self.lines.ages)

    def before(self, days: float) -> "History":
        """What was known `days` ago, with ages as of then."""
        return self._only(self.lines.ages >= days, days)

    def since(self, days: float) -> "History":
        """What came in the last `days`."""
        return self._only(self.lines.ages < days, 0)

    def of_some(self, most: int) -> "History":
        """That of at most so many people, evenly spread, numbered anew; countries are left out then."""
        if self.person_count <= most:
            return self
        chosen = self.spread(most)
        number = np.full(self.person_count, -1, dtype=np.int64)
        number[chosen] = np.arange(most)
        there = number[self.people] >= 0
        return History(number[self.people[there]], self.lines.some(there), most, self.item_count)

    def spread(self, most: int) -> NDArray[np.int64]:
        """The numbers of at most so many people, evenly spread: those of_some() keeps."""
        if self.person_count <= most:
            return np.arange(self.person_count)
        return np.linspace(0, self.person_count - 1, most).astype(np.int64)

    def _only(self, chosen: NDArray[np.bool_], now: float) -> "History":
        lines = self.lines
        kept = Lines(
            lines.keys[chosen], lines.kinds[chosen], lines.quantities[chosen], lines.ages[chosen] - np.float32(now)
        )
        return replace(self, people=self.people[chosen], lines=kept)
