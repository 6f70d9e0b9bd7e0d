"""Item neighbours, by hand."""

import numpy as np
import pytest

from services.recommend.domain.challengers import neighbours
from services.recommend.domain.challengers.log import Log

LOG = Log.of({0: [[0, 1]], 1: [[0, 1, 2]], 2: [[2]], 3: [[0]]}, 3)


def test_likeness_is_the_shrunk_cosine():
    likeness = neighbours.fit(LOG, shrink=1.0).likeness.toarray()
    assert likeness[0, 1] == pytest.approx(2 / (np.sqrt(3 * 2) + 1))
    assert likeness[0, 2] == pytest.approx(1 / (np.sqrt(3 * 2) + 1))
    assert likeness[1, 1] == 0


def test_only_the_strongest_are_kept():
    assert neighbours.fit(LOG, keep=1, shrink=1.0).likeness[0].indices.tolist() == [1]


def test_a_person_scores_by_the_likeness_to_what_they_have():
    fitted = neighbours.fit(LOG, shrink=1.0)
    likeness = fitted.likeness.toarray()
    assert fitted.scores(np.array([0]))[0] == pytest.approx(likeness[0] + likeness[1])


def test_to_bm25_what_nearly_everybody_has_says_less():
    crowd = {person: [[0, 1 + person % 2]] for person in range(20)}
    plain, weighted = (neighbours.fit(Log.of(crowd, 3), shrink=10.0, bm25=bm25).likeness for bm25 in (False, True))
    assert weighted[1, 0] < plain[1, 0]
