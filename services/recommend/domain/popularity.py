"""Decayed popularity: how many people wanted an item lately, and how many of those who did not have it."""

from typing import Any, Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

_FEW: Final = 20  # people without an item: its share is not taken of fewer


def popularity(interest: sp.csr_matrix) -> NDArray[np.float32]:
    """Per item, the sum over people of their decayed interest, at most one each: no one person makes a bestseller.

    `interest`: people × items, decayed. Returns items float32, scaled so that the most popular item has 1.
    """
    capped = interest.copy()
    np.minimum(capped.data, 1, out=capped.data)
    total = np.asarray(capped.sum(axis=0), dtype=np.float32).ravel()
    top = total.max(initial=0)
    return total / top if top > 0 else total


def newly_taken(
    items: NDArray[np.int64], ages: NDArray[np.floating[Any]], people: int, size: int, half_life: float
) -> NDArray[np.float32]:
    """Of each of `size` items: those who took it for the first time, decayed, to those of `people` who have not.

    What is bought most is bought by those who have it already; to the others this speaks. `items` and `ages` (in days):
    of each person's first purchase of each item.
    """
    taken = np.bincount(items, weights=np.exp2(-np.maximum(ages, 0) / half_life), minlength=size)
    without = np.maximum(people - np.bincount(items, minlength=size), _FEW)
    return (taken / without).astype(np.float32)
