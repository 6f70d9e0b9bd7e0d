"""What the service itself would have shown: its own training as of the cut, its artefact, its own ranking."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import polars as pl

from services.recommend.artifacts.models import Artifact
from services.recommend.artifacts.serving import arrays_of, model_of
from services.recommend.domain.catalogue import Catalogue, Change, Shown
from services.recommend.domain.challengers.log import Keys, Log
from services.recommend.domain.described import Described
from services.recommend.domain.histories import History
from services.recommend.domain.interactions import Kind
from services.recommend.domain.model import Model
from services.recommend.domain.parameters import Parameters
from services.recommend.domain.questions import DEPTH
from services.recommend.domain.recommending import recommend_many
from services.recommend.domain.tastes import Lines
from services.recommend.domain.training import train
from services.recommend.domain.wishes import Visitor, Wish

SERVED: Final = "as served"


@dataclass(frozen=True)
class Service:
    """A trained model, the catalogue, and everybody's lines in order of person."""

    model: Model
    catalogue: Catalogue
    history: History

    @classmethod
    def of(cls, log: Log, described: Described | None, cut: datetime) -> "Service":
        """Trained on what was known at the cut, as for the first time: settings and weights are found anew."""
        assert log.days is not None
        size = len(log)
        lines = Lines(
            log.items,
            np.full(size, Kind.BOUGHT, dtype=np.int16),
            np.ones(size, dtype=np.float32),
            log.days.astype("f4"),
        )
        history = History(log.people, lines, log.person_count, log.item_count)
        arrays, told = arrays_of(train(history, Parameters(), described))
        names = [str(item) for item in range(log.item_count)]
        model = model_of(Artifact({"as_of": cut.isoformat(), **told}, names, arrays), "")
        changes = [
            Change(key, Shown(name, name, (), None, None, None, None, None, {}), on_sale=True, published=0.0)
            for key, name in enumerate(names)
        ]
        return cls(model, Catalogue().changed(changes, 1), history)

    def tops(self, people: Keys, *, repeats: bool) -> Keys:
        """The 20 best items of each, as an answer has them."""
        bounds = np.searchsorted(self.history.people, np.stack([people, people + 1]))
        visitors = [self._visitor(first, last) for first, last in zip(*bounds.tolist(), strict=True)]
        answers = recommend_many(self.model, self.catalogue, visitors, Wish(DEPTH, exclude_seen=not repeats))
        return np.stack([answer.keys for answer in answers])

    def _visitor(self, first: int, last: int) -> Visitor:
        lines = self.history.lines
        own = slice(first, last)
        return Visitor(Lines(lines.keys[own], lines.kinds[own], lines.quantities[own], lines.ages[own]))


def described_of(items: pl.Series, kinds: pl.DataFrame) -> Described | None:
    """What the catalogue says: its names, categories and brands; None where it says nothing."""
    if "name" not in kinds.columns:
        return None
    found = items.to_frame("item").join(kinds, on="item", how="left", maintain_order="left")
    names, brands = found["name"].fill_null("").to_list(), found["brand"].to_list()
    return Described(names, [(one,) if one else () for one in found["category"].to_list()], brands)
