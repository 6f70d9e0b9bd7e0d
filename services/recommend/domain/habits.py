"""What many people do with items, counted: bought with what, wanted more than usual, bought again after how long."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.histories import History
from services.recommend.domain.pairs import Pairs, bought_together
from services.recommend.domain.rhythms import usual_rhythms
from services.recommend.domain.trends import trending

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Habits:
    """Arrays by item key. `trending` in [0, 1], 0: not more than usual; `rhythms` in days, NaN: not known."""

    pairs: Pairs
    trending: Floats
    rhythms: Floats
    trending_by_country: Mapping[str, Floats] = field(default_factory=dict)

    def trend(self, country: str | None) -> Floats:
        """What trends in that country, where it has enough people; else in all."""
        return self.trending if country is None else self.trending_by_country.get(country, self.trending)


_NO_FLOATS: Final = np.empty(0, dtype=np.float32)
NO_HABITS: Final = Habits(Pairs.none(), _NO_FLOATS, _NO_FLOATS)


def habits_of(history: History, countries: tuple[str, ...]) -> Habits:
    """Count them. `countries`: those with enough people for trends of their own."""
    by_country = {country: trending(history, history.countries[country]) for country in countries}
    return Habits(bought_together(history), trending(history), usual_rhythms(history), by_country)
