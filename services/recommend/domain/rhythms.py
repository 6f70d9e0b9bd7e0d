"""How long until somebody buys an item again: by their own gaps, drawn towards everybody's."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.histories import History
from services.recommend.domain.interactions import Kind
from services.recommend.domain.tastes import Lines

Floats = NDArray[np.float32]

FEWEST_GAPS: Final = 10
EARLIEST: Final = 0.25  # of a gap: whoever has just bought is not asked to buy again
LATEST: Final = 4.0  # gaps: who has not come back by then has moved on
_SAME_TIME_DAYS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Due:
    """Items that are due, the most so first: keys, days until each is due (negative: overdue), scores in [0, 1]."""

    keys: NDArray[np.int64]
    days: Floats
    scores: Floats


def usual_rhythms(history: History) -> Floats:
    """Per item the median gap in days between two purchases of one person; NaN where fewer than ten are known."""
    bought = history.lines.kinds == Kind.BOUGHT
    keys = history.people[bought] * history.item_count + history.lines.keys[bought]
    keys, gaps = _gaps(keys, history.lines.ages[bought])
    items = keys % max(history.item_count, 1)
    order = np.lexsort((gaps, items))
    gaps = gaps[order]
    counts = np.bincount(items, minlength=history.item_count)
    ends = np.cumsum(counts)
    rhythms = np.full(history.item_count, np.nan, dtype=np.float32)
    known = counts >= FEWEST_GAPS
    low, high = (ends - counts + (counts - 1) // 2)[known], (ends - counts + counts // 2)[known]
    rhythms[known] = (gaps[low] + gaps[high]) / 2
    return rhythms


def due(lines: Lines, kept: NDArray[np.int64], usual: Floats) -> Due:
    """What a person is about to need again. `kept`: what they bought and did not send back, ascending.

    An item bought once is due by everybody's rhythm, where that is known. Most due: what is at the end of its gap, and
    among those what was bought more often.
    """
    chosen = (lines.kinds == Kind.BOUGHT) & np.isin(lines.keys, kept)
    keys, ages = lines.keys[chosen], np.maximum(lines.ages[chosen], 0)
    owners, gaps = _gaps(keys, ages)
    items, place = np.unique(keys, return_inverse=True)
    last = np.full(len(items), np.inf, dtype=np.float32)
    np.minimum.at(last, place, ages)
    own = np.searchsorted(items, owners)
    number = np.bincount(own, minlength=len(items)).astype(np.float32)
    total = np.bincount(own, weights=gaps, minlength=len(items)).astype(np.float32)
    shared = np.full(len(items), np.nan, dtype=np.float32)
    shared[items < len(usual)] = usual[items[items < len(usual)]]
    drawn = np.isfinite(shared)
    weight = number + drawn
    gap = (total + np.where(drawn, shared, 0)) / np.maximum(weight, 1)
    share = last / np.maximum(gap, _SAME_TIME_DAYS)
    asked = (weight > 0) & (share >= EARLIEST) & (share <= LATEST)
    score = np.exp(-np.abs(np.log(np.maximum(share, EARLIEST)))) * (1 - np.exp2(-(number + 1)))
    order = np.lexsort((items, -score))
    order = order[asked[order]]
    return Due(items[order], (gap - last)[order].astype(np.float32), score[order].astype(np.float32))


def _gaps(keys: NDArray[np.int64], ages: Floats) -> tuple[NDArray[np.int64], Floats]:
    """The gaps between purchases with the same key that follow one another; those of one visit are one purchase."""
    order = np.lexsort((ages, keys))
    keys, ages = keys[order], ages[order]
    gaps = ages[1:] - ages[:-1]
    real = (keys[1:] == keys[:-1]) & (gaps > _SAME_TIME_DAYS)
    return keys[1:][real], gaps[real]
