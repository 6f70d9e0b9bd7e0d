"""Implicit alternating least squares with a regularisation in proportion to how often one occurs, solved exactly.

S. Rendle et al., "Revisiting the Performance of iALS on Item Recommendation Benchmarks", RecSys 2022. The systems are
solved in the eigenbasis of the Gramian, where all of them but the few observed entries is diagonal: who took d items
costs a d × d system, not a factors × factors one.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from services.recommend.domain.challengers.log import Floats, Keys, Log

_FLOATS_A_TIME: Final = 4_000_000
_SEED: Final = 20_170_101


@dataclass(frozen=True)
class Factors:
    """`people` × factors and `items` × factors."""

    people: Floats
    items: Floats

    def scores(self, people: Keys) -> Floats:
        """See Contender."""
        found: Floats = self.people[people] @ self.items.T
        return found


def fit(
    log: Log,
    factors: int = 64,
    unobserved: float = 0.03,
    strength: float = 0.01,
    iterations: int = 10,
    decay: float = 1.0,
) -> Factors:
    """`unobserved`: the weight of what was not taken beside what was (1 / alpha); `strength` of the regularisation.

    `decay` below 1: people are folded in anew, what they took last counting most. Memory: some 100 MB beside the
    factors.
    """
    taken = log.matrix()
    name = ("als", factors, unobserved, strength, iterations)
    people, items = log.once(name, lambda: _fit(taken, factors, unobserved, strength, iterations))
    if log.ordered and decay < 1:
        people = _solved(items, log.matrix(decay), unobserved, strength)
    return Factors(people, items)


def _fit(
    taken: sp.csr_matrix, factors: int, unobserved: float, strength: float, iterations: int
) -> tuple[Floats, Floats]:
    draw = np.random.default_rng(_SEED)
    items = (draw.standard_normal((taken.shape[1], factors)) * 0.1 / np.sqrt(factors)).astype(np.float32)
    takers = sp.csr_matrix(taken.T)
    people = items[:0]
    for _ in range(iterations):
        people = _solved(items, taken, unobserved, strength)
        items = _solved(people, takers, unobserved, strength)
    return _solved(items, taken, unobserved, strength), items


def _solved(fixed: Floats, taken: sp.csr_matrix, unobserved: float, strength: float) -> Floats:
    """The factors of each row of `taken`, those of its columns being `fixed`; zeros for a row without an entry."""
    spread, basis = np.linalg.eigh(fixed.T.astype(np.float64) @ fixed)
    basis = basis.astype(np.float32)
    turned = np.concatenate([fixed @ basis, np.zeros((1, len(basis)), dtype=np.float32)])
    base = (unobserved * np.maximum(spread, 0)).astype(np.float32)
    counts = np.diff(taken.indptr)
    penalty = (strength * (counts + unobserved * len(fixed))).astype(np.float32)
    found = np.zeros((taken.shape[0], len(basis)), dtype=np.float32)

    def solve(rows: Keys) -> None:
        found[rows] = _some(turned, taken, rows, base + penalty[rows, None])

    with threadpool_limits(1, "blas"), ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(solve, _of_equal_length(counts, len(basis))))
    back: Floats = found @ basis.T
    return back


def _of_equal_length(counts: NDArray[np.int32], factors: int) -> list[Keys]:
    """Rows with entries, those of about the same number of them together, as many as may be in memory at a time."""
    order = np.argsort(counts, kind="stable")
    order = order[np.searchsorted(counts[order], 1) :]
    parts = []
    while len(order):
        longest = int(counts[order[-1]])
        number = max(1, _FLOATS_A_TIME // (max(longest, factors) * factors))
        number = min(number, len(order) - int(np.searchsorted(counts[order], 0.8 * longest)))
        parts.append(order[-number:])
        order = order[:-number]
    return parts


def _some(turned: Floats, taken: sp.csr_matrix, rows: Keys, diagonal: Floats) -> Floats:
    starts, counts = taken.indptr[rows], taken.indptr[rows + 1] - taken.indptr[rows]
    place = np.arange(counts.max())[None]
    there = place < counts[:, None]
    cells = np.where(there, starts[:, None] + place, 0)
    known = turned[np.where(there, taken.indices[cells], len(turned) - 1)]  # rows × entries × factors
    weights = np.where(there, taken.data[cells], np.float32(1))
    if known.shape[1] <= known.shape[2]:  # the push-through identity: as many unknowns as entries
        scaled = known / diagonal[:, None]
        left = scaled @ known.transpose(0, 2, 1)
        left[:, np.arange(left.shape[1]), np.arange(left.shape[1])] += 1 / weights
        right = np.linalg.solve(left, np.ones((*weights.shape, 1), dtype=np.float32))
        return np.asarray((right.transpose(0, 2, 1) @ scaled)[:, 0])
    weighted = known * weights[..., None]
    square = weighted.transpose(0, 2, 1) @ known
    square[:, np.arange(square.shape[1]), np.arange(square.shape[1])] += diagonal
    return np.asarray(np.linalg.solve(square, weighted.sum(axis=1)[..., None])[..., 0])
