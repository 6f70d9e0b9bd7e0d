"""Kinds of things as they serve."""

import numpy as np
import pytest

from services.recommend.domain.kinds import Kinds

GROUPS = np.array([[0, 0, 1, 1]], dtype=np.int32)


def test_popularity_is_lifted_where_the_taste_is_above_everybodys():
    kinds = Kinds.of(GROUPS, np.array([1, 1, 1, 1], dtype=np.float32))
    assert kinds.usual[0] == pytest.approx([0.5, 0.5])
    popularity = np.array([1, 0.5, 1, 0.5], dtype=np.float32)
    found = kinds.lifted(np.array([0, 1]), np.array([2, 3], dtype=np.float32), popularity)
    tea, ware = ((5 + 5) / (15 * 0.5)) ** 0.5, (5 / (15 * 0.5)) ** 0.5
    assert found == pytest.approx(popularity * [tea, tea, ware, ware])


def test_nothing_known_of_a_person_leaves_popularity_as_it_is():
    kinds = Kinds.of(GROUPS, np.array([3, 1, 1, 0], dtype=np.float32))
    popularity = np.array([1, 0.5, 0.25, 0], dtype=np.float32)
    none = np.empty(0, dtype=np.int64)
    assert kinds.lifted(none, none.astype(np.float32), popularity) == pytest.approx(popularity)


def test_what_those_who_lack_it_take_counts_instead_of_popularity_where_it_is_known():
    fresh = np.array([0, 1, 1, 0.5], dtype=np.float32)
    kinds = Kinds.of(GROUPS, np.array([3, 1, 1, 0], dtype=np.float32), fresh)
    none = np.empty(0, dtype=np.int64)
    assert kinds.lifted(none, none.astype(np.float32), np.ones(4, dtype=np.float32)) == pytest.approx(fresh)
