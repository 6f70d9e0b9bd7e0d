"""Places of an answer that are not given by score: to what the shop promotes, and to what hardly anybody has seen.

No rule is broken for either: only items that the answer might have had anyway come into question.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.int64]


def places_of(share: float, n: int) -> int:
    """How many of `n` places a share is: to the nearest, halves up."""
    return math.floor(share * n + 0.5)


def spread(count: int, n: int, taken: Collection[int]) -> list[int]:
    """`count` of the places 1 … n, as evenly as can be and none of those `taken`; fewer where there are no more."""
    free = [place for place in range(1, n + 1) if place not in taken]
    count = min(count, len(free))
    return [free[(2 * number + 1) * len(free) // (2 * count)] for number in range(count)]


@dataclass(frozen=True, slots=True)
class Explored:
    """Items by place, counted from 0, and the probability with which any item that could be explored was.

    `pool`: how many those are. Once it is known how many places were given, each had that many chances in `pool`.
    """

    items: dict[int, int]
    propensity: float
    pool: int
    left_out: tuple[int, ...] = ()


def explore(
    n: int, movable: Sequence[int], pool: Keys, share: float, most: int, dice: np.random.Generator
) -> Explored | None:
    """Give `share` of the `n` places to items of the pool, all with the same probability; None: there are none to give.

    As many places as `share` of n is on average; which items, and which of their places, is by lot. `movable` are the
    places, from 0, of items found by score, the best first: so many of the last of them are left out. At most `most`.
    """
    wanted, most = share * n, min(most, len(pool), len(movable))
    whole = math.floor(wanted)
    more = wanted - whole
    count = min(most, whole + (1 if dice.random() < more else 0))
    average = (1 - more) * min(most, whole) + more * min(most, whole + 1)
    if count == 0 or average == 0:
        return None
    chosen = dice.choice(pool, size=count, replace=False)
    places = dice.choice(np.asarray(movable, dtype=np.int64), size=count, replace=False)
    items = dict(zip(places.tolist(), chosen.tolist(), strict=True))
    return Explored(items, average / len(pool), len(pool), tuple(movable[len(movable) - count :]))
