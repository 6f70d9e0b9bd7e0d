"""What is wanted more now than usual: two windows that decay, one short and one long."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.histories import History
from services.recommend.domain.parameters import kind_weights

NOW_DAYS: Final = 2.0  # half-lives
USUAL_DAYS: Final = 28.0
_SEEN_DAYS: Final = 8 * USUAL_DAYS  # older deeds weigh nothing
_WEIGHTS: Final = kind_weights()
_CHANCE: Final = 1.0  # standard deviations: less is nothing to speak of


def trending(history: History, people: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
    """Per item in [0, 1] how far demand of late is above what it usually is, in standard deviations of chance.

    0: not above by even one. The usual is scaled by how busy the shop is in all, so that a busy day makes no trend. A
    person counts once a day, whether they looked or bought: nobody makes a trend alone.
    """
    items, ages = _demand(history, people)
    now, usual = (
        np.bincount(items, weights=np.exp2(-ages / days), minlength=history.item_count)
        for days in (NOW_DAYS, USUAL_DAYS)
    )
    expected = usual * (now.sum() / max(usual.sum(), 1e-12))
    above = (now - expected) / np.sqrt(expected + 1)
    above[above < _CHANCE] = 0
    highest = above.max(initial=0)
    trend: NDArray[np.float32] = (above / highest if highest > 0 else above).astype(np.float32)
    return trend


def _demand(history: History, people: NDArray[np.int64] | None) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Items that were wanted and how many days ago: one for each person, item and day, the last of that day."""
    lines = history.lines
    wanted = (_WEIGHTS[lines.kinds] > 0) & (lines.ages < _SEEN_DAYS)
    if people is not None:
        chosen = np.zeros(history.person_count, dtype=bool)
        chosen[people] = True
        wanted &= chosen[history.people]
    ages = np.maximum(lines.ages[wanted], 0)
    order = np.argsort(ages, kind="stable")
    keys = (history.people[wanted] * history.item_count + lines.keys[wanted]) * int(_SEEN_DAYS) + ages.astype(np.int64)
    first = order[np.unique(keys[order], return_index=True)[1]]
    return lines.keys[wanted][first], ages[first]
