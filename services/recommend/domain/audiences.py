"""Whom to offer an item or a category: what is known of many people at once, as features, and who is left out."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.domain.interactions import Kind
from services.recommend.domain.model import Model
from services.recommend.domain.parameters import Parameters
from services.recommend.domain.tastes import Lines, tastes

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Keys = NDArray[np.int64]

FEATURES: Final = ("near", "wanted", "family", "active", "recent", "variety")
_RECENT_DAYS: Final = np.float32(14)
_OFTEN: Final = np.float32(8)  # of something bought once, so that the next times still count
_TINY: Final = np.float32(1e-9)


@dataclass(frozen=True)
class Target:
    """What is offered: `near` to it each item is, which are `wanted`, which are of the same `family`; by item key."""

    near: Floats
    wanted: Flags
    family: Flags


@dataclass(frozen=True)
class People:
    """Some people's lines, one person after the other, `counts` of each. Ages are in days before now."""

    counts: Keys
    lines: Lines

    def as_of(self, days_ago: float) -> "People":
        """The same as it was known then."""
        known = self.lines.ages >= days_ago
        lines = self.lines
        then = Lines(lines.keys[known], lines.kinds[known], lines.quantities[known], lines.ages[known] - days_ago)
        return People(np.bincount(self.number[known], minlength=len(self.counts)), then)

    @property
    def number(self) -> Keys:
        """Whose line each is."""
        return np.repeat(np.arange(len(self.counts)), self.counts)


def nearness(model: Model | None, wanted: Flags) -> Floats:
    """How much one purchase of each item says that its buyer likes what is wanted.

    The fold-in of a person, without the term that makes it unlike a sum: then a person's nearness is one product with
    this array, whatever their number.
    """
    near = np.zeros(len(wanted), dtype=np.float32)
    if model is None:
        return near
    known = min(len(model), len(wanted))
    chosen = np.flatnonzero(wanted[:known])
    if not len(chosen):
        return near
    weights = model.popularity[chosen] + _TINY
    middle = (weights @ model.item_factors[chosen]) / weights.sum()
    near[:known] = model.item_factors[:known] @ (model.base.inverse @ middle)
    return near


def features_of(people: People, target: Target, parameters: Parameters) -> Floats:
    """What is known of each person: people × FEATURES."""
    size, count = max(1, len(target.wanted)), len(people.counts)
    number, lines = people.number, people.lines
    grouped = Lines(number * size + lines.keys, lines.kinds, lines.quantities, lines.ages)
    now = tastes(grouped, parameters)
    person, item = np.divmod(now.keys, size)

    def per_person(values: NDArray[Any]) -> NDArray[np.float64]:
        return np.bincount(person, weights=values, minlength=count).astype(np.float64)

    liked = per_person(now.affinity)
    newest = np.full(count, np.inf, dtype=np.float32)
    np.minimum.at(newest, number, lines.ages)
    return np.column_stack(
        [
            per_person(now.affinity * target.near[item]) / np.sqrt(liked + _TINY),
            np.log1p(_OFTEN * per_person(now.frequency * target.wanted[item])),
            np.log1p(per_person(now.frequency * target.family[item])),
            np.log1p(per_person(now.frequency)),
            np.exp2(-newest / _RECENT_DAYS),
            np.log1p(per_person(now.affinity > 0)),
        ]
    ).astype(np.float32)


def as_family(features: Floats) -> Floats:
    """The features as they are where the whole family is what is wanted."""
    told = features.copy()
    told[:, FEATURES.index("wanted")] = np.log1p(_OFTEN * np.expm1(features[:, FEATURES.index("family")]))
    return told


def bought_within(people: People, wanted: Flags, days: float) -> Flags:
    """Who has bought one of these items in the last `days` days."""
    lines = people.lines
    counts = (lines.kinds == Kind.BOUGHT) & wanted[lines.keys] & (lines.ages < days) & (lines.ages >= 0)
    found: Flags = np.bincount(people.number[counts], minlength=len(people.counts)) > 0
    return found


@dataclass
class Top:
    """The k highest of what is offered to it, piece by piece; of equals the first. Memory: k.

    `reasons`: a row for each, as in audience_reasons.
    """

    k: int
    scores: NDArray[np.float64]
    people: NDArray[np.void]
    steps: Keys
    bought: Flags
    reasons: NDArray[np.int8]

    @classmethod
    def of(cls, k: int, reasons: int = 0) -> "Top":
        """Empty, for so many reasons a person."""
        none = np.empty(0)
        told = np.empty((0, reasons), dtype=np.int8)
        return cls(k, none, np.empty(0, dtype="V16"), none.astype(np.int64), none.astype(bool), told)

    def offer(
        self,
        scores: NDArray[np.float64],
        people: NDArray[np.void],
        steps: Keys,
        bought: Flags,
        reasons: NDArray[np.int8],
    ) -> None:
        """Take in those of some more people that belong to the k highest."""
        all_scores = np.concatenate([self.scores, scores])
        kept = np.argsort(-all_scores, kind="stable")[: self.k]
        self.scores = all_scores[kept]
        self.people = np.concatenate([self.people, people])[kept]
        self.steps = np.concatenate([self.steps, steps])[kept]
        self.bought = np.concatenate([self.bought, bought])[kept]
        self.reasons = np.concatenate([self.reasons, reasons])[kept]
