"""Alternating least squares, scored for all people at once."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from services.recommend.domain import als
from services.recommend.domain.challengers.log import Floats, Keys, Log
from services.recommend.domain.folding import base_of, fold_in
from services.recommend.domain.parameters import AlsParameters

_FEW: Final = 200_000  # entries: threads that wait for each other cost more than they bring


@dataclass(frozen=True)
class Factors:
    """`people` × factors and `items` × factors."""

    people: Floats
    items: Floats

    def scores(self, people: Keys) -> Floats:
        """See Contender."""
        found: Floats = self.people[people] @ self.items.T
        return found


def fit(
    log: Log, factors: int = 128, alpha: float = 10.0, strength: float = 1.0, iterations: int = 12, decay: float = 1.0
) -> Factors:
    """`alpha`: the weight of what was taken beside what was not; `strength`: see als.regularization().

    `decay` below 1: people are folded in anew, what they took last counting most.
    """
    taken = log.matrix()
    weight = alpha * als.regularization(taken, strength)
    chosen = AlsParameters(factors=factors, iterations=iterations, regularization=weight, alpha=alpha)
    people, items = als.fit(taken, chosen, threads=1 if taken.nnz < _FEW else 0)
    if log.ordered and decay < 1:
        base, recent = base_of(items, weight), log.matrix(decay)
        for person in np.flatnonzero(np.diff(recent.indptr)):
            row = slice(recent.indptr[person], recent.indptr[person + 1])
            people[person] = fold_in(items, base, recent.indices[row].astype(np.int64), recent.data[row], alpha)
    return Factors(people, items)
