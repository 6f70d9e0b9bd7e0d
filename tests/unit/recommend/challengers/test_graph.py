"""The graph's filter, against its definition."""

import numpy as np
import pytest

from services.recommend.domain.challengers import graph
from services.recommend.domain.challengers.log import Log

DRAW = np.random.default_rng(4)
LOG = Log.of({person: [sorted(DRAW.choice(12, 4, replace=False).tolist())] for person in range(30)}, 12)


def test_scores_are_those_of_the_definition():
    taken = LOG.matrix().toarray().astype(np.float64)
    people, items = np.diag(taken.sum(axis=1) ** -0.5), np.diag(np.maximum(taken.sum(axis=0), 1) ** -0.5)
    normal = people @ taken @ items
    _, _, smooth = np.linalg.svd(normal)
    ideal = items @ smooth[:3].T @ smooth[:3] @ np.linalg.inv(items)
    expected = taken @ (normal.T @ normal + 0.3 * ideal)
    found = graph.fit(LOG, parts=3, share=0.3).scores(np.arange(30))
    assert found == pytest.approx(expected, abs=0.02)


def test_more_parts_than_there_can_be_are_as_many_as_there_can_be():
    assert graph.fit(LOG, parts=500).smooth.shape == (12, 11)
