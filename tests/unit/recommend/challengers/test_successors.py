"""What came next, by hand."""

import numpy as np
import pytest

from services.recommend.domain.challengers import successors
from services.recommend.domain.challengers.log import Log

TEA, CUP, POT = 0, 1, 2
LOG = Log.of({0: [[TEA], [CUP], [POT]], 1: [[TEA], [POT]], 2: [[TEA]]}, 3)


def test_later_items_count_by_their_distance():
    likeness = successors.fit(LOG, reach=2, beta=0.0).likeness.toarray()
    assert likeness[TEA] == pytest.approx([0, 1 / 3, (1 + 1 / 2) / 3])
    assert likeness[CUP] == pytest.approx([0, 0, 1])


def test_one_persons_first_visit_does_not_follow_anothers_last():
    assert successors.fit(LOG, reach=1).likeness[POT].nnz == 0


def test_the_newest_visit_leads():
    scores = successors.fit(LOG, reach=1, beta=0.0, decay=0.1).scores(np.array([0]))[0]
    assert scores[POT] == pytest.approx(0.1 * 1 + 0.01 * 1 / 3)
