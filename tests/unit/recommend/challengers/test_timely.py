"""EASE in time: what leads to what, and what is newly taken now."""

import numpy as np
import pytest
import scipy.sparse as sp

from services.recommend.domain.challengers import ease, timely
from services.recommend.domain.challengers.log import Log

HAVE = sp.csr_matrix(
    np.array([[1, 1, 0, 0], [1, 0.5, 1, 0], [0, 0, 1, 1], [1, 0, 0, 1], [1, 1, 0, 0]], dtype=np.float32)
)


def closed_form(have, strength):
    dense = have.toarray().astype(np.float64)
    inverse = np.linalg.inv(dense.T @ dense + strength * np.eye(dense.shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights


def test_all_positive_weights_of_the_closed_form_are_kept_where_there_is_room():
    mean_square = (10 + 0.25) / 11
    wanted = np.maximum(closed_form(HAVE, 2 * mean_square), 0)
    assert timely.likeness_of(HAVE, 4, 2.0).toarray() == pytest.approx(wanted, abs=1e-5)


def test_of_each_item_no_more_are_kept_than_asked_for_and_the_strongest_is_one_of_them():
    found, whole = timely.likeness_of(HAVE, 1, 2.0).toarray(), timely.likeness_of(HAVE, 4, 2.0).toarray()
    assert ((found > 0).sum(axis=1) <= 1).all()
    assert found[1].argmax() == whole[1].argmax() == 0
    assert np.array_equal(found[found > 0], whole[found > 0])


def test_only_the_most_taken_items_take_part():
    assert timely.most_taken(np.array([3, 0, 5, 1, 4]), 3).tolist() == [0, 2, 4]
    assert timely.most_taken(np.array([3, 0, 5]), 10).tolist() == [0, 2]
    assert timely.likeness_of(HAVE, 4, 2.0, most=2).nonzero()[1].tolist() == [1, 0]


@pytest.mark.parametrize("have", [sp.csr_matrix((3, 4), dtype=np.float32), sp.csr_matrix(HAVE[:, :1])])
def test_where_nothing_leads_anywhere_nothing_is_kept(have):
    assert timely.likeness_of(have, 4).nnz == 0


def test_the_trend_is_how_much_is_newly_taken_for_how_many_have_it():
    found = timely.trend(np.array([0.2, 0.1, 0], dtype=np.float32), np.array([9, 1, 0]))
    assert found == pytest.approx([1.001 / 10, 0.501 / 2, 0.001])
    assert np.isfinite(timely.trend(np.zeros(2, dtype=np.float32), np.zeros(2, dtype=np.int64))).all()


def seasons():
    """Items 1 and 2 go with 0 alike; 1 was newly taken long ago, 2 is now. People 20 to 29 have 0 only."""
    rows = [(person, item, 300.0 - item) for person in range(10) for item in (0, 1)]
    rows += [(person, item, 10.0 - item) for person in range(10, 20) for item in (0, 2)]
    rows += [(person, 0, 5.0) for person in range(20, 30)]
    person, item, days = (np.array(column) for column in zip(*rows, strict=True))
    return Log(person, item, np.arange(len(rows)), 30, 3, days=days)


def test_what_is_newly_taken_now_comes_before_what_went_as_well_with_it_once():
    timely_scores = timely.fit(seasons(), power=1.0, regularization=2.0).scores(np.array([25]))[0]
    assert timely_scores[2] > 5 * timely_scores[1] > 0


def test_without_a_trend_it_is_ease():
    log = seasons()
    plain = timely.fit(log, power=0.0, regularization=2.0)
    have = log.recent(120.0)
    wanted = ease.weights_of(have, 2.0 * float(have.power(2).sum()) / have.nnz)
    assert plain.weights == pytest.approx(wanted)
