"""EASE, against its closed form."""

import numpy as np
import pytest

from services.recommend.domain.challengers import ease
from services.recommend.domain.challengers.log import Log

FEW_PEOPLE = Log.of({0: [[0, 1]], 1: [[0, 1, 2]], 2: [[2, 3]], 3: [[0, 3]]}, 5)
MANY_PEOPLE = Log.of({0: [[0, 1]], 1: [[0, 1, 2]], 2: [[2, 3]], 3: [[0, 3]], 4: [[1, 4]], 5: [[0, 1]]}, 5)


@pytest.mark.parametrize(("log", "way"), [(FEW_PEOPLE, ease.Dual), (MANY_PEOPLE, ease.Primal)])
def test_the_scores_are_those_of_the_closed_form_whichever_way_they_are_had(log, way):
    taken = log.matrix().toarray().astype(np.float64)
    inverse = np.linalg.inv(taken.T @ taken + 2 * np.eye(5))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    fitted = ease.fit(log, regularization=2)
    assert isinstance(fitted, way)
    assert fitted.scores(np.arange(len(taken))) == pytest.approx(taken @ weights, abs=1e-5)


def test_of_a_large_catalogue_the_items_taken_most_take_part():
    fitted = ease.fit(MANY_PEOPLE, regularization=2, most_items=2)
    assert fitted.items.tolist() == [0, 1]
    assert fitted.scores(np.array([0]))[0, 2:].tolist() == [0, 0, 0]
