"""Personal frequency."""

import numpy as np
import pytest

from services.recommend.domain.challengers import frequency
from services.recommend.domain.challengers.log import Log

MEI = Log.of({0: [[0], [0, 1], [2]]}, 3)


@pytest.mark.parametrize(("decay", "expected"), [(1.0, [2, 1, 1]), (0.5, [0.75, 0.5, 1])])
def test_every_visit_counts_and_later_ones_more(decay, expected):
    assert frequency.fit(MEI, decay).scores(np.array([0]))[0].tolist() == expected
