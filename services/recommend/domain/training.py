"""When a model is due, and how one is made from lines."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.fitting import fit
from services.recommend.domain.histories import History
from services.recommend.domain.parameters import Blend, Parameters
from services.recommend.domain.validation import choose_blend

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
    """What a run made: arrays by item key, what it was made with, and figures for the registry."""

    item_factors: NDArray[np.float32]
    popularity: NDArray[np.float32]
    popularity_by_country: dict[str, NDArray[np.float32]]
    parameters: Parameters
    blend: Blend
    figures: dict[str, Any]


def train(history: History, parameters: Parameters) -> Trained:
    """Choose the blend, then fit on everything. The same history and parameters give the same model.

    Raises als.TooLittleData.
    """
    fitted = fit(history, parameters)
    blend, evidence = choose_blend(history, parameters)
    figures = {"people": history.person_count, "lines": len(history), "pairs": fitted.pairs, "validation": evidence}
    return Trained(
        fitted.item_factors, fitted.popularity, fitted.popularity_by_country, fitted.parameters, blend, figures
    )
