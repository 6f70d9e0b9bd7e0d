"""A trained model as it serves: arrays by item key, and nothing about any person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.again import Again
from services.recommend.domain.folding import Base, base_of, fold_in, fold_in_many, telling
from services.recommend.domain.habits import NO_HABITS, Habits
from services.recommend.domain.kinds import Kinds
from services.recommend.domain.likeness import Likeness
from services.recommend.domain.parameters import Blend, Parameters
from services.recommend.domain.scanning import Codes
from services.recommend.domain.sessions import Sessions

Floats = NDArray[np.float32]

_SMALLEST_LIFT: Final = 1e-4


@dataclass(frozen=True)
class Model:
    """`item_factors` items × factors, `popularity` items, in [0, 1]. People are folded in from their own history.

    `codes`: the factors once more, for a quick scan of a large catalogue. Answers are the same with and without.
    `ease`: what each item leads to, in time; `fresh`: how much each is newly taken, in [0, 1].
    What is None was not learned: an artefact of the first release has factors and popularity only.
    """

    version: str
    as_of: datetime
    item_factors: Floats
    popularity: Floats
    parameters: Parameters
    blend: Blend
    popularity_by_country: Mapping[str, Floats] = field(default_factory=dict)
    codes: Codes | None = None
    habits: Habits = NO_HABITS
    likeness: Likeness | None = None
    ease: Likeness | None = None
    fresh: Floats | None = None
    again: Again | None = None
    kinds: Kinds | None = None
    sessions: Sessions | None = None

    def __len__(self) -> int:
        return len(self.popularity)

    @cached_property
    def base(self) -> Base:
        """What every fold-in starts from."""
        return base_of(self.item_factors, self.parameters.als.regularization)

    @cached_property
    def lengths(self) -> Floats:
        """The norm of each item's factors; 0 for items nobody has touched."""
        lengths: Floats = np.sqrt(np.einsum("ij,ij->i", self.item_factors, self.item_factors))
        return lengths

    def direction(self, key: int) -> Floats:
        """One item's factors at length 1; zeros where nothing is known of it."""
        if key >= len(self) or self.lengths[key] == 0:
            return np.zeros(self.item_factors.shape[1], dtype=np.float32)
        return np.asarray(self.item_factors[key] / self.lengths[key])

    @cached_property
    def _lifts(self) -> dict[tuple[str | None, bool], Floats]:
        return {}

    def lift(self, country: str | None, *, repeat: bool) -> Floats:
        """What is the same for everybody in the score of each item: popularity, and what is newly taken.

        In that country, where it has a popularity of its own. Made once, so that an answer adds one array.

        Never nothing: where the parts that know the person have no opinion, the more popular item goes first.
        """
        place = country if country in self.popularity_by_country else None
        found = self._lifts.get((place, repeat))
        if found is None:
            popularity = self.popularity if place is None else self.popularity_by_country[place]
            weights = self.blend.repeat if repeat else self.blend.discover
            found = popularity * np.float32(max(weights.popular, _SMALLEST_LIFT))
            if weights.firsts > 0 and self.fresh is not None:
                found += self.fresh * np.float32(weights.firsts)
            self._lifts[place, repeat] = found
        return found

    def knows(self, items: NDArray[np.int64], affinity: Floats) -> bool:
        """Whether it knows any of the things that somebody likes."""
        return len(telling(items, affinity, self.lengths)[0]) > 0

    def person(self, items: NDArray[np.int64], affinity: Floats) -> Floats | None:
        """The factors of somebody with these affinities; None where the model knows none of the items."""
        items, affinity = telling(items, affinity, self.lengths)
        if not len(items):
            return None
        return fold_in(self.item_factors, self.base, items, affinity, self.parameters.als.alpha)

    def people(self, affinities: Sequence[tuple[NDArray[np.int64], Floats]]) -> list[Floats | None]:
        """The same for many at once."""
        if len(affinities) == 1:
            return [self.person(*affinities[0])]
        told = [telling(*one, self.lengths) for one in affinities]
        known = [number for number, (items, _) in enumerate(told) if len(items)]
        items, weights = [told[number][0] for number in known], [told[number][1] for number in known]
        factors = fold_in_many(self.item_factors, self.base, items, weights, self.parameters.als.alpha)
        found: list[Floats | None] = [None] * len(affinities)
        for number, own in zip(known, factors, strict=True):
            found[number] = own
        return found
