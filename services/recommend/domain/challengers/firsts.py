"""What people lately took for the first time, among the kinds of things a person takes."""

from typing import Final

import numpy as np

from services.recommend.domain.challengers import affinity
from services.recommend.domain.challengers.log import Floats, Log
from services.recommend.domain.popularity import newly_taken

_UNSEEN: Final = np.float32(1e-3)  # of the highest share


def fit(log: Log, power: float = 1.0, half_life: float = 28.0) -> affinity.Affinity:
    """`power` of the taste; `half_life` in days of what was taken. Without groups: the same for everybody."""
    wanted = shares(log, half_life)
    tables = log.once("lifts", lambda: tuple(affinity.lifts(log, groups) for groups in log.groups.values()))
    wanted = wanted / np.maximum(wanted.max(initial=0), np.float32(1e-9)) + _UNSEEN
    return affinity.Affinity(tables, tuple(log.groups.values()), wanted, power)


def shares(log: Log, half_life: float) -> Floats:
    """Of each item: those who took it for the first time, halved with each `half_life` in days, to those without it."""
    first = log.firsts
    days = np.zeros(len(first)) if log.days is None else log.days[first]
    return newly_taken(log.items[first], days, log.person_count, log.item_count, half_life)
