"""Content: kinds of things, by hand."""

import numpy as np
import pytest

from services.recommend.domain.challengers import affinity
from services.recommend.domain.challengers.log import Log

TEA_AND_WARE = {"category": np.array([0, 0, 1, 1, 0])}
LOG = Log.of({0: [[0, 1]], 1: [[2, 3]]}, 5)
SHOP = Log(LOG.people, LOG.items, LOG.visits, 2, 5, groups=TEA_AND_WARE)


def test_a_share_above_that_of_all_lifts_what_is_wanted():
    # of two lines each, beside ten of everybody's taste, which is half tea and half ware
    tea, ware = (2 + 10 / 2) / 12 / 0.5, (10 / 2) / 12 / 0.5
    wanted = np.array([1.1, 1.1, 1.1, 1.1, 0.1]) / 1.1
    scores = affinity.fit(SHOP, power=1.0).scores(np.array([0]))[0]
    assert scores == pytest.approx(wanted * [tea, tea, ware, ware, tea], rel=1e-5)


def test_an_item_that_nobody_has_taken_is_found_by_its_kind():
    scores = affinity.fit(SHOP).scores(np.array([0, 1]))
    assert scores[0, 4] > scores[1, 4] > 0
