"""RP3beta, by hand."""

import numpy as np
import pytest

from services.recommend.domain.challengers import walks
from services.recommend.domain.challengers.log import Log

LOG = Log.of({0: [[0, 1]], 1: [[0, 2]]}, 3)


def test_a_step_leads_to_each_neighbour_with_the_same_probability():
    likeness = walks.fit(LOG, alpha=1.0, beta=0.0).likeness.toarray()
    assert likeness[0] == pytest.approx([0, 0.25, 0.25])
    assert likeness[1] == pytest.approx([0.5, 0, 0])


def test_popular_ends_are_damped():
    likeness = walks.fit(LOG, alpha=1.0, beta=1.0).likeness.toarray()
    assert likeness[1, 0] == pytest.approx(0.5 / 2)


def test_who_has_nothing_gets_nothing():
    nobody = Log(LOG.people, LOG.items, LOG.visits, 3, 3)
    assert not walks.fit(nobody).scores(np.array([2])).any()
