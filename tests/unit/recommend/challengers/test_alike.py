"""People like one, by hand."""

import numpy as np
import pytest

from services.recommend.domain.challengers import alike
from services.recommend.domain.challengers.log import Log

LOG = Log.of({0: [[0, 1]], 1: [[0, 1, 2]], 2: [[3]]}, 4)


def test_what_the_nearest_have_counts_by_their_cosine_of_rarity():
    common, rare = np.log(4 / 3), np.log(4 / 2)
    cosine = 2 * common**2 / np.sqrt(2 * common**2 * (2 * common**2 + rare**2))
    scores = alike.fit(LOG, neighbours=1).scores(np.array([0]))[0]
    assert scores == pytest.approx([cosine, cosine, cosine, 0], abs=1e-6)


def test_nobody_is_a_neighbour_of_themselves():
    assert not alike.fit(LOG, neighbours=3).scores(np.array([2])).any()


def test_what_was_lent_long_ago_counts_less():
    days = np.array([0.0, 0, 10, 10, 0, 0])
    log = Log(LOG.people, LOG.items, LOG.visits, 3, 4, days=days)
    now, halved = (alike.fit(log, neighbours=1, half_life=life).scores(np.array([0]))[0] for life in (None, 10.0))
    assert halved[0] == pytest.approx(now[0] / 2)
    assert halved[2] == pytest.approx(now[2])
