"""Neighbours as they serve."""

import numpy as np
import pytest
import scipy.sparse as sp

from services.recommend.domain.likeness import Likeness

MATRIX = sp.csr_matrix(np.array([[0, 3, 1, 2], [5, 0, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0]], dtype=np.float32))


def test_the_strongest_of_each_item_are_kept():
    found = Likeness.of(MATRIX, kept=2)
    assert found.items.tolist() == [[1, 3], [0, 0], [0, 0], [0, 1]]
    assert found.weights.tolist() == [[3, 2], [5, 0], [0, 0], [1, 1]]


def test_what_is_reached_is_the_sum_over_what_one_has():
    found = Likeness.of(MATRIX, kept=4).reached(np.array([0, 3]), np.array([1, 0.5], dtype=np.float32), 6)
    assert found == pytest.approx([0.5, 3.5, 1, 2, 0, 0])


def test_items_the_model_does_not_know_reach_nothing_and_a_smaller_catalogue_is_no_error():
    found = Likeness.of(MATRIX, kept=4)
    assert found.reached(np.array([9]), np.ones(1, dtype=np.float32), 4).tolist() == [0, 0, 0, 0]
    assert found.reached(np.array([0]), np.ones(1, dtype=np.float32), 2).tolist() == [0, 3]


def test_of_a_long_history_what_is_liked_most_counts():
    size = 300
    chain = sp.csr_matrix((np.ones(size, "f4"), (np.arange(size), np.roll(np.arange(size), -1))), (size, size))
    affinity = np.linspace(0.01, 1, size).astype(np.float32)
    found = Likeness.of(chain, kept=1).reached(np.arange(size), affinity, size)
    assert np.flatnonzero(found).tolist() == [0, *range(45, 300)]


def test_what_leads_to_an_item_can_be_multiplied():
    found = Likeness.of(MATRIX, kept=4).times(np.array([1, 2, 0.5, 0], dtype=np.float32))
    assert found.reached(np.array([0]), np.ones(1, dtype=np.float32), 4) == pytest.approx([0, 6, 0.5, 0])
