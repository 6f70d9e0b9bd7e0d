"""Whether it is time to buy a thing again: the odds of each thing a person bought being in their next purchase.

From what their own lines say (how often, decayed slowly and fast) and from what is known of the item. repurchase.py
learns it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.tastes import Tastes

Floats = NDArray[np.float32]

TINY: Final = np.float32(1e-3)


@dataclass(frozen=True)
class Again:
    """`weights` of the slow and the fast decay and of `general`, one figure an item: its own part of the odds.

    Odds are frequency^weights[0] × lately^weights[1] × general[item].
    """

    weights: tuple[float, float]
    general: Floats

    def odds(self, now: Tastes) -> Floats:
        """Of each key, in proportion: 0 for what was not bought."""
        known = now.keys < len(self.general)
        general = self.general[np.where(known, now.keys, 0)] * known + ~known
        slow, fast = np.float32(self.weights[0]), np.float32(self.weights[1])
        found: Floats = (now.frequency + TINY) ** slow * (now.lately + TINY) ** fast * general
        return np.where(now.frequency > 0, found, np.float32(0))


def by_frequency(size: int) -> Again:
    """Where there is too little to learn from."""
    return Again((1.0, 0.0), np.ones(size, dtype=np.float32))
