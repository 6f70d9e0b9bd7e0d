"""Implicit alternating least squares, against the definition and against the library."""

import numpy as np
import pytest
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from services.recommend.domain import als
from services.recommend.domain.folding import base_of, fold_in
from services.recommend.domain.parameters import AlsParameters

TWO_CIRCLES = AlsParameters(factors=2, iterations=15, regularization=0.1, alpha=5.0, random_state=7)
# Tea drinkers and coffee drinkers; the last of each has not yet bought everything.
BOUGHT = sp.csr_matrix(
    np.array([[1, 1, 1, 0, 0, 0], [1, 1, 1, 0, 0, 0], [1, 1, 0, 0, 0, 0], [0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 0, 1]], "f4")
)


def test_people_are_offered_what_their_own_circle_buys():
    people, items = als.fit(BOUGHT, TWO_CIRCLES)
    scores = people @ items.T
    scores[BOUGHT.toarray() > 0] = -1
    assert scores[2].argmax() == 2
    assert scores[4].argmax() == 4


def test_the_same_data_give_the_same_factors():
    first, second = als.fit(BOUGHT, TWO_CIRCLES), als.fit(BOUGHT, TWO_CIRCLES)
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])


def test_what_nobody_touched_has_no_factors():
    unknown = sp.csr_matrix(([1.0, 1.0], ([0, 1], [0, 2])), shape=(4, 4), dtype=np.float32)
    people, items = als.fit(unknown, TWO_CIRCLES)
    assert not items[[1, 3]].any()
    assert not people[[2, 3]].any()


def test_nothing_can_be_learned_from_nothing():
    with pytest.raises(als.TooLittleData):
        als.fit(sp.csr_matrix((3, 4), dtype=np.float32), TWO_CIRCLES)


def test_folding_in_a_person_solves_the_normal_equations():
    rng = np.random.default_rng(3)
    items = rng.normal(size=(30, 6)).astype(np.float32)
    keys, affinity, alpha, strength = np.array([2, 5, 29]), np.array([1, 0.2, 3], "f4"), 2.0, 0.5
    confidence = np.eye(30)
    confidence[keys, keys] = alpha * affinity
    wanted = np.zeros(30)
    wanted[keys] = 1
    expected = np.linalg.solve(items.T @ confidence @ items + strength * np.eye(6), items.T @ confidence @ wanted)
    found = fold_in(items, base_of(items, strength), keys, affinity, alpha)
    assert found == pytest.approx(expected, abs=1e-4)


def test_folding_in_agrees_with_the_librarys_recalculation():
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(factors=3, regularization=0.5, alpha=2.0, iterations=5, random_state=1)
    model.fit(BOUGHT, show_progress=False)
    expected = model.recalculate_user(2, BOUGHT[2])
    base = base_of(model.item_factors, 0.5)
    found = fold_in(model.item_factors, base, BOUGHT[2].indices.astype(np.int64), BOUGHT[2].data, 2.0)
    assert found == pytest.approx(expected, abs=1e-4)


def test_regularisation_grows_with_the_mass_of_the_data_but_never_drowns_a_small_shop():
    crowd = sp.random(400, 50, density=0.5, random_state=1, dtype=np.float32)
    crowd.data[:] = 1
    many = als.regularization(crowd.tocsr(), 0.05)
    assert many == pytest.approx(0.05 * crowd.nnz / 50)
    few = als.regularization(BOUGHT, 1.5)
    assert few == pytest.approx(0.1 * np.sqrt(BOUGHT.nnz))
