"""Folding a person into a fitted model: one step of alternating least squares, for one row, solved exactly."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from services.recommend.domain.compiled import FLOATS, KEYS, MATRIX, compiled

Floats = NDArray[np.float32]
_TOGETHER: Final = 64


class Base(NamedTuple):
    """What every fold-in starts from: YᵀY + λI and its inverse (factors × factors)."""

    matrix: Floats
    inverse: Floats


def base_of(item_factors: Floats, regularization: float) -> Base:
    """The base of these factors."""
    inner = item_factors.T @ item_factors
    matrix = (inner + regularization * np.eye(inner.shape[0])).astype(np.float32)
    return Base(matrix, np.linalg.pinv(matrix.astype(np.float64), hermitian=True).astype(np.float32))


@compiled(KEYS, FLOATS, FLOATS)
def telling(items: NDArray[np.int64], affinity: Floats, lengths: Floats) -> tuple[NDArray[np.int64], Floats]:
    """The items that say something of a person, and how much they are liked: those a model knows, and liked at all.

    `lengths`: the norm of each item's factors; 0 where nobody has touched it.
    """
    count = 0
    kept, liked = np.empty(len(items), dtype=np.int64), np.empty(len(items), dtype=np.float32)
    for place in range(len(items)):
        if items[place] < len(lengths) and lengths[items[place]] > 0 and affinity[place] > 0:
            kept[count], liked[count] = items[place], affinity[place]
            count += 1
    return kept[:count], liked[:count]


def fold_in(item_factors: Floats, base: Base, items: NDArray[np.int64], affinity: Floats, alpha: float) -> Floats:
    """The factors of a person with these affinities: solves (YᵀY + λI + Yᵀ(C − I)Y) x = YᵀC p exactly.

    The same as implicit's recalculate_user, without its loop in Python. Few items are a small change of the base, whose
    inverse is known: then the system that is solved is items × items (Woodbury's identity).
    """
    confidence = np.float32(alpha) * affinity
    if 2 * len(items) < len(base.matrix):
        try:
            person: Floats = _changed_little(item_factors, base.inverse, items, confidence)
            return person
        except np.linalg.LinAlgError:  # singular to rounding: the whole system is not
            pass
    chosen = item_factors[items]
    left = base.matrix + (chosen.T * (confidence - 1)) @ chosen
    # Symmetric and positive definite: Cholesky. The transpose is the same matrix in the order LAPACK wants.
    _, solved, failed = lapack.sposv(left.T, confidence @ chosen, overwrite_a=True)
    return solved.ravel() if not failed else np.linalg.solve(left, confidence @ chosen)


@compiled(MATRIX, MATRIX, KEYS, FLOATS)
def _changed_little(item_factors: Floats, inverse: Floats, items: NDArray[np.int64], confidence: Floats) -> Floats:
    chosen = np.empty((len(items), item_factors.shape[1]), dtype=np.float32)
    for row in range(len(items)):
        chosen[row] = item_factors[items[row]]
    reached = chosen @ inverse
    small = reached @ chosen.T
    for row in range(len(items)):
        small[row] *= confidence[row] - np.float32(1)
        small[row, row] += np.float32(1)
    return np.linalg.solve(small, confidence.copy()) @ reached


def fold_in_many(
    item_factors: Floats, base: Base, items: Sequence[NDArray[np.int64]], affinity: Sequence[Floats], alpha: float
) -> Floats:
    """The same for many people at once, people × factors: those with about as many items are solved together.

    Memory: people × items of the longest × factors × 4 bytes three times over; give some hundred at a time.
    """
    size = item_factors.shape[1]
    found = np.zeros((len(items), size), dtype=np.float32)
    counts = np.array([len(own) for own in items])
    few = 2 * counts < size
    for rows, solve in ((np.flatnonzero(few), _few), (np.flatnonzero(~few), _many)):
        order = rows[np.argsort(counts[rows], kind="stable")]
        for start in range(0, len(order), _TOGETHER):
            some = order[start : start + _TOGETHER]
            longest = int(counts[some].max(initial=0))
            keys = np.zeros((len(some), longest), dtype=np.int64)
            confidence = np.zeros((len(some), longest), dtype=np.float32)
            there = np.arange(longest) < counts[some, None]
            keys[there] = np.concatenate([items[row] for row in some])
            confidence[there] = np.float32(alpha) * np.concatenate([affinity[row] for row in some])
            chosen = item_factors[keys] * there[..., None]
            found[some] = solve(base, chosen, confidence)
    return found


def _few(base: Base, chosen: Floats, confidence: Floats) -> Floats:
    """A small change of the base: entries × entries for each person. Padding has factors of 0 and changes nothing."""
    reached = chosen @ base.inverse
    small = (reached @ chosen.transpose(0, 2, 1)) * (confidence - 1)[..., None]
    small += np.eye(small.shape[1], dtype=np.float32)
    weights = np.linalg.solve(small, confidence[..., None])
    return np.asarray((weights.transpose(0, 2, 1) @ reached)[:, 0])


def _many(base: Base, chosen: Floats, confidence: Floats) -> Floats:
    left = base.matrix + (chosen * (confidence - 1)[..., None]).transpose(0, 2, 1) @ chosen
    right = (confidence[:, None] @ chosen)[:, 0]
    return np.asarray(np.linalg.solve(left, right[..., None])[..., 0])
