"""The best n of many scores, those that are blocked left out."""

from typing import Final

import numpy as np
from numba import float32, int64
from numpy.typing import NDArray

from services.recommend.domain.compiled import FLOATS, KEYS, KEYS_OUT, OUT, ROW, compiled

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]
BLOCKED: Final = np.float32(-np.inf)
_ROWS: Final = 64


@compiled(ROW, float32, lets_others_run=True)
def at_least(values: Floats, bound: float) -> Keys:
    """The positions of values that reach a bound, ascending."""
    count = 0
    for value in values:
        count += value >= bound
    keys = np.empty(count, dtype=np.int64)
    count = 0
    for position in range(len(values)):
        if values[position] >= bound:
            keys[count] = position
            count += 1
    return keys


@compiled(OUT, KEYS)
def block(scores: Floats, keys: Keys) -> None:
    """Put these items out of reach; keys beyond the scores are passed over."""
    for key in keys:
        if key < len(scores):
            scores[key] = BLOCKED


def best(scores: Floats, n: int) -> Keys:
    """The positions of the `n` highest scores, highest first, ties by position; blocked ones never, so maybe fewer."""
    return _best(scores, min(max(n, 0), len(scores)))


@compiled(KEYS_OUT, OUT, int64, int64)
def _sink(keys: Keys, values: Floats, root: int, size: int) -> None:
    """Let an entry sink below those that are worse: the root of a heap is the worst, of equals the later one."""
    key, value = keys[root], values[root]
    child = 2 * root + 1
    while child < size:
        other = child + 1
        if other < size and (
            values[other] < values[child] or (values[other] == values[child] and keys[other] > keys[child])
        ):
            child = other
        if value < values[child] or (value == values[child] and key > keys[child]):
            break
        keys[root], values[root] = keys[child], values[child]
        root, child = child, 2 * child + 1
    keys[root], values[root] = key, value


@compiled(FLOATS, int64)
def _best(scores: Floats, n: int) -> Keys:
    keys, values = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.float32)
    size = position = 0
    while size < n and position < len(scores):
        if scores[position] > BLOCKED:
            keys[size], values[size] = position, scores[position]
            size += 1
        position += 1
    for root in range(size // 2 - 1, -1, -1):
        _sink(keys, values, root, size)
    while size and position < len(scores):
        until = min(position + _ROWS, len(scores))
        better = 0
        for later in range(position, until):
            better += scores[later] > values[0]
        for later in range(position, until if better else position):
            if scores[later] > values[0]:
                keys[0], values[0] = later, scores[later]
                _sink(keys, values, 0, size)
        position = until
    for last in range(size - 1, 0, -1):
        keys[0], keys[last] = keys[last], keys[0]
        values[0], values[last] = values[last], values[0]
        _sink(keys, values, 0, last)
    return keys[:size]


@compiled(ROW)
def highest(values: Floats) -> float:
    """The highest value; at least 0. In lanes that a processor takes together."""
    lanes = np.zeros(_ROWS, dtype=np.float32)
    whole = len(values) // _ROWS * _ROWS
    for start in range(0, whole, _ROWS):
        for lane in range(_ROWS):
            value = values[start + lane]
            lanes[lane] = max(lanes[lane], value)
    found = np.float32(0)
    for value in lanes:
        found = max(found, value)
    for value in values[whole:]:
        found = max(found, value)
    return float(found)


def best_of_rows(scores: Floats, n: int) -> NDArray[np.int64]:
    """The same for each row of people × items, also blocked ones: people × n (or × items where they are fewer)."""
    people, items = scores.shape
    n = min(n, items)
    columns = items // _ROWS
    if columns <= n:
        return _partitioned(scores, n)
    highest = scores[:, : columns * _ROWS].reshape(people, _ROWS, columns).max(axis=1)
    bounds = np.partition(highest, columns - n, axis=1)[:, columns - n, None]
    rows, found = np.nonzero(scores >= bounds)
    if len(rows) > 16 * n * people:
        return _partitioned(scores, n)
    order = np.lexsort((found, -scores[rows, found], rows))
    counts = np.bincount(rows, minlength=people)
    chosen: NDArray[np.int64] = found[order[(np.cumsum(counts) - counts)[:, None] + np.arange(n)]]
    return chosen


def _partitioned(scores: Floats, n: int) -> NDArray[np.int64]:
    chosen = np.argpartition(-scores, n - 1, axis=1)[:, :n] if n else np.empty((len(scores), 0), dtype=np.int64)
    order = np.argsort(-np.take_along_axis(scores, chosen, axis=1), axis=1, kind="stable")
    return np.take_along_axis(chosen, order, axis=1)
