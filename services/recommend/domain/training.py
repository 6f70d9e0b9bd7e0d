"""When a model is due, and how one is made from lines."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain import als
from services.recommend.domain.parameters import Blend, Parameters
from services.recommend.domain.popularity import popularity
from services.recommend.domain.tastes import Lines, as_matrix, tastes

MOST_OFTEN: Final = timedelta(minutes=30)
AFTER_FAILURE: Final = timedelta(minutes=10)
LEAST_NEW: Final = 1_000
LEAST_NEW_SHARE: Final = 0.02


@dataclass(frozen=True)
class Situation:
    """What the rule looks at. Positions are of the event log; `read` is ours, `trained` that of the newest model."""

    now: datetime
    requested_at: datetime | None
    started_at: datetime | None
    failed_at: datetime | None
    read: int
    unread: int
    trained: int | None


def is_due(at: Situation) -> bool:
    """Whether to train now: when asked; else when enough is new, at most every half hour, and nothing is unread."""
    if at.requested_at is not None and (at.started_at is None or at.requested_at > at.started_at):
        return True
    if at.unread > 0:  # still catching up, an import perhaps: wait for the rest
        return False
    pause = AFTER_FAILURE if at.failed_at is not None else MOST_OFTEN
    if at.started_at is not None and at.now - at.started_at < pause:
        return False
    trained = at.trained or 0
    return at.read - trained >= max(LEAST_NEW, LEAST_NEW_SHARE * trained)


@dataclass(frozen=True)
class Trained:
    """What a run made: arrays by item key, the blend, and figures for the registry."""

    item_factors: NDArray[np.float32]
    popularity: NDArray[np.float32]
    blend: Blend
    figures: dict[str, Any]


@dataclass(frozen=True)
class History:
    """Everybody's lines as columns: `people` are numbers from 0, `ages` days before the as-of time."""

    people: NDArray[np.int64]
    lines: Lines
    person_count: int
    item_count: int

    def grouped(self) -> Lines:
        """The lines, keyed by person × items + item."""
        keys = self.people * self.item_count + self.lines.keys
        return Lines(keys, self.lines.kinds, self.lines.quantities, self.lines.ages)


def train(history: History, parameters: Parameters) -> Trained:
    """Fit a model. The same history and parameters give the same arrays. Raises als.TooLittleData."""
    learned = tastes(history.grouped(), parameters)
    shape = history.person_count, history.item_count
    affinity = as_matrix(learned.keys, learned.affinity, *shape)
    _, item_factors = als.fit(affinity, parameters.als)
    return Trained(
        item_factors=item_factors,
        popularity=lately_popular(history, parameters),
        blend=Blend(),
        figures={"people": history.person_count, "lines": len(history.people), "pairs": int(affinity.nnz)},
    )


def lately_popular(history: History, parameters: Parameters) -> NDArray[np.float32]:
    """Decayed popularity of each item."""
    short = Parameters(
        affinity_half_life=parameters.popularity_half_life, frequency_half_life=parameters.popularity_half_life
    )
    recent = tastes(history.grouped(), short)
    return popularity(as_matrix(recent.keys, recent.affinity, history.person_count, history.item_count))
