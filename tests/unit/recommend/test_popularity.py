"""Decayed popularity."""

import numpy as np
import pytest
import scipy.sparse as sp

from services.recommend.domain.popularity import newly_taken, popularity


def test_the_most_wanted_item_has_one_and_the_others_their_share():
    interest = sp.csr_matrix(np.array([[1, 0.5, 0], [1, 0, 0]], "f4"))
    assert popularity(interest).tolist() == [1, 0.25, 0]


def test_no_one_person_makes_a_bestseller():
    interest = sp.csr_matrix(np.array([[900, 0], [0, 1], [0, 1]], "f4"))
    assert popularity(interest).tolist() == [0.5, 1]


def test_where_nobody_wanted_anything_nothing_is_popular():
    assert popularity(sp.csr_matrix((2, 3), dtype=np.float32)).tolist() == [0, 0, 0]


def test_of_those_without_an_item_the_share_who_took_it_lately_counts():
    items, ages = np.array([0, 0, 1, 1]), np.array([0.0, 28.0, 56.0, 56.0])
    found = newly_taken(items, ages, people=102, size=3, half_life=28)
    assert found == pytest.approx([(1 + 0.5) / 100, 0.5 / 100, 0])


def test_what_nearly_everybody_has_is_not_measured_by_the_few_who_lack_it():
    everybody = np.zeros(100, dtype=np.int64)
    assert newly_taken(everybody, np.zeros(100), people=101, size=1, half_life=28).tolist() == [100 / 20]
