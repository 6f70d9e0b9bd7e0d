"""Popularity, lately."""

import numpy as np

from services.recommend.domain.challengers import popular
from services.recommend.domain.challengers.log import Log

LOG = Log.of({0: [[0], [1]], 1: [[0]]}, 3)


def test_everybody_gets_what_was_taken_most():
    assert popular.fit(LOG).scores(np.array([0, 7])).tolist() == [[2, 1, 0]] * 2


def test_with_a_half_life_what_is_old_counts_less():
    dated = Log(LOG.people, LOG.items, LOG.visits, 2, 3, days=np.array([20.0, 0.0, 10.0]))
    assert popular.fit(dated, half_life=10).weights.tolist() == [0.75, 1, 0]
