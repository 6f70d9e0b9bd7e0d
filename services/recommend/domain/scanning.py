"""A scan of all items at a quarter of the memory: factors as small integers, and how wrong a product of them can be.

The products are approximate, the bound is not: |approximate − exact| ≤ bound for every item. Who ranks by them takes
more than is wanted, scores those exactly, and knows by the bound whether an item further down could belong above.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Final

import numkong
import numpy as np
from numba import types
from numpy.typing import NDArray

from services.recommend.domain.compiled import FLOATS, OUT, compiled

Floats = NDArray[np.float32]
FEWEST_ITEMS: Final = 30_000  # below, the exact products cost less than a scan and its corrections
_LARGEST: Final = 127
_TINY: Final = 1e-30
_BLOCK: Final = 65_536
_ROUNDING: Final = 2e-6  # of float32 sums, as a share of the largest product there can be


@dataclass(frozen=True)
class Codes:
    """`codes` items × factors, int8; `steps` items: codes × steps is about the factors.

    `error`, `length`: the largest norm of what a row lost, and of a row, both of what codes × steps gives.
    """

    codes: NDArray[np.int8]
    steps: Floats
    error: float
    length: float


def coded(item_factors: Floats) -> Codes:
    """The factors, each row rounded to 255 steps between minus and plus its largest entry. Rows of zeros stay zeros."""
    codes = np.empty(item_factors.shape, dtype=np.int8)
    steps = np.empty(len(item_factors), dtype=np.float32)
    error = length = 0.0
    for start in range(0, len(item_factors), _BLOCK):
        part = slice(start, start + _BLOCK)
        rows = item_factors[part]
        steps[part] = np.abs(rows).max(axis=1, initial=0) / _LARGEST
        codes[part] = np.rint(rows / np.maximum(steps[part], _TINY)[:, None])
        kept = codes[part] * steps[part, None]
        error = max(error, float(np.linalg.norm(rows - kept, axis=1).max(initial=0)))
        length = max(length, float(np.linalg.norm(kept, axis=1).max(initial=0)))
    return Codes(codes, steps, error, length)


def products(items: Codes, person: Floats, out: Floats) -> float:
    """Fill `out` (as long as wanted, from the first item on) with products of about these factors; returns the bound.

    Lets other threads run meanwhile.
    """
    count = len(out)
    step = float(np.abs(person).max()) / _LARGEST
    if step < _TINY or count == 0:
        out[:] = 0
        return 0.0
    rounded = np.rint(person / step).astype(np.int8)
    query = numkong.dots_pack(rounded[None], dtype="int8")
    found = np.asarray(numkong.dots_packed(items.codes[:count], query)).reshape(count)
    _scaled(found, items.steps, step, out)
    lost = _norm(person - rounded * np.float32(step))
    return (items.error + items.length * _ROUNDING) * _norm(person) + items.length * lost


@compiled(types.Array(types.int32, 1, "C"), FLOATS, types.float32, OUT, lets_others_run=True)
def _scaled(found: NDArray[np.int32], steps: Floats, step: float, out: Floats) -> None:
    """Sums of products of small integers, in the factors' own measure."""
    for row in range(len(found)):
        out[row] = np.float32(found[row]) * (steps[row] * step)


def _norm(vector: Floats) -> float:
    return sqrt(float(vector @ vector))
