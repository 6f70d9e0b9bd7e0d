"""What kinds of things a person takes: of each grouping of the catalogue (category, brand) how much more than others.

Knows also items that nobody has taken yet, by what is popular among their kind.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]

_SMOOTHING: Final = 10.0  # a person's own affinity stands against so much of everybody's
_POWER: Final = 0.5


@dataclass(frozen=True)
class Kinds:
    """`groups` groupings × items: the number of each item's group; `usual`: of each, its share in all tastes.

    `fresh`: how many of those who did not have an item took it lately; None: that is not known.
    """

    groups: Keys  # as wide as an index is: numpy would make narrower ones so in every request
    usual: tuple[Floats, ...]
    fresh: Floats | None = None

    @classmethod
    def of(cls, groups: NDArray[np.integer[Any]], interest: Floats, fresh: Floats | None = None) -> "Kinds":
        """`interest`: how much each item is taken, by all."""
        usual = []
        for numbers in groups:
            counts = np.bincount(numbers, weights=interest, minlength=1) + 1
            usual.append((counts / counts.sum()).astype(np.float32))
        return cls(groups.astype(np.int64), tuple(usual), fresh)

    def lifted(self, keys: Keys, affinity: Floats, popularity: Floats) -> Floats:
        """What is taken by those who lack it, raised where it is of a kind this person takes more of than others do.

        Where that is not known: `popularity`, one figure for each item.
        """
        known = keys < len(popularity)
        keys, affinity = keys[known], affinity[known]
        found = popularity if self.fresh is None else self.fresh
        mass = float(affinity.sum()) + _SMOOTHING
        for numbers, usual in zip(self.groups, self.usual, strict=True):
            own = np.bincount(numbers[keys], weights=affinity, minlength=len(usual)) + _SMOOTHING * usual
            lift = (own / (mass * usual)) ** (_POWER / len(self.usual))
            found = found * lift.astype(np.float32).take(numbers)
        return found
