"""TIFU-KNN, by hand."""

import numpy as np
import pytest

from services.recommend.domain.challengers import tifu
from services.recommend.domain.challengers.log import Log

LOG = Log.of({0: [[0], [1], [0]], 1: [[0], [0]], 2: [[2]]}, 3)


def test_vectors_decay_within_and_between_groups():
    own = tifu.fit(LOG, group=2, within=0.5, between=0.1, neighbours=1, share=1.0).scores(np.array([0]))[0]
    # the last group holds the visits 1 and 2, the one before it visit 0; both are means, and so is their sum
    assert own == pytest.approx([(1 / 2 + 0.1 * 1) / 2, (0.5 / 2) / 2, 0])


def test_the_nearest_lend_what_they_buy():
    scores = tifu.fit(LOG, neighbours=1, share=0.0).scores(np.array([1]))[0]
    own = tifu.fit(LOG, neighbours=1, share=1.0).scores(np.array([0]))[0]
    assert scores == pytest.approx(own)


def test_one_person_alone_has_no_neighbours():
    alone = Log.of({0: [[0], [1]]}, 2)
    assert (tifu.fit(alone, share=0.5).scores(np.array([0])) > 0).all()
