"""What people lately took for the first time."""

import numpy as np
import pytest

from services.recommend.domain.challengers import firsts
from services.recommend.domain.challengers.log import Log


def log(rows, people, items, groups=None):
    """(person, item, days ago) each, in order of person and time."""
    person, item, days = (np.array(column) for column in zip(*rows, strict=True))
    visits = np.arange(len(rows))
    return Log(person, item, visits, people, items, days=days.astype(np.float64), groups=groups or {})


def test_who_takes_a_thing_again_makes_it_no_newer():
    loyal = [(0, 0, day) for day in range(100, 0, -1)]
    found = firsts.shares(log([*loyal, (1, 1, 1.0)], people=100, items=2), half_life=28.0)
    assert found == pytest.approx([2 ** (-100 / 28) / 99, 2 ** (-1 / 28) / 99])


def test_the_kinds_a_person_takes_come_first_and_without_groups_all_are_told_the_same():
    rows = [(0, 0, 9), (0, 1, 8), (1, 3, 9), (1, 4, 8), (2, 2, 5), (3, 5, 5)]
    kinds = {"kind": np.array([0, 0, 0, 1, 1, 1])}
    scores = firsts.fit(log(rows, 4, 6, kinds)).scores(np.array([0, 1]))
    assert scores[0, 2] > scores[0, 5]
    assert scores[1, 5] > scores[1, 2]
    plain = firsts.fit(log(rows, 4, 6)).scores(np.array([0, 1]))
    assert np.array_equal(plain[0], plain[1])
