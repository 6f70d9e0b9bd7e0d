"""EASE, against its closed form."""

import numpy as np
import pytest

from services.recommend.domain.challengers import ease
from services.recommend.domain.challengers.log import Log

LOG = Log.of({0: [[0, 1]], 1: [[0, 1, 2]], 2: [[2, 3]], 3: [[0, 3]]}, 5)


def test_the_weights_are_those_of_the_closed_form():
    taken = LOG.matrix().toarray().astype(np.float64)
    inverse = np.linalg.inv(taken.T @ taken + 2 * np.eye(5))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)
    fitted = ease.fit(LOG, regularization=2)
    assert fitted.weights == pytest.approx(expected, abs=1e-5)
    assert fitted.scores(np.array([2])) == pytest.approx(taken[[2]] @ expected, abs=1e-5)


def test_of_a_large_catalogue_the_items_taken_most_take_part():
    fitted = ease.fit(LOG, regularization=2, most_items=2)
    assert fitted.items.tolist() == [0, 1]
    assert fitted.scores(np.array([0]))[0, 2:].tolist() == [0, 0, 0]
