"""The quick scan of all items: never further from the truth than it says, and answers that do not show it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recommend.domain.recommending import recommend
from services.recommend.domain.scanning import coded, products
from services.recommend.domain.scoring import Products, Scores
from tests.unit.recommend.test_recommending import HISTORIES, ROWS, WISHES, did, shop, trained


def drawn(size, factors, seed, skew=0.0):
    """Factors of items and of a person; with `skew` the rows' lengths differ as those of popular and rare items do."""
    rng = np.random.default_rng(seed)
    items = rng.normal(size=(size, factors)) * np.exp(skew * rng.normal(size=(size, 1)))
    return items.astype(np.float32), rng.normal(size=factors).astype(np.float32)


@given(st.integers(1, 200), st.integers(1, 70), st.integers(0, 999), st.floats(0, 2))
def test_no_product_is_further_from_the_truth_than_the_bound(size, factors, seed, skew):
    items, person = drawn(size, factors, seed, skew)
    found = np.empty(size, dtype=np.float32)
    bound = products(coded(items), person, found)
    assert np.abs(found - items.astype(np.float64) @ person).max() <= bound


def test_items_and_people_without_factors_have_products_of_nothing():
    items, person = drawn(5, 3, 1)
    items[2] = 0
    found = np.ones(5, dtype=np.float32)
    products(coded(items), person, found)
    assert found[2] == 0
    assert products(coded(items), np.zeros(3, dtype=np.float32), found) == 0
    assert not found.any()


@pytest.mark.parametrize("n", [1, 20, 100])
@pytest.mark.parametrize("skew", [0.0, 1.5])
def test_the_best_by_a_scan_are_the_best(n, skew):
    for seed in range(10):
        items, person = drawn(5_000, 32, seed, skew)
        expected = np.argsort(-(items @ person), kind="stable")[:n]
        found = Products.of(items, coded(items), person, len(items))
        keys, total = Scores(found, found.values.copy(), 1.0).best(n)
        assert keys.tolist() == expected.tolist()
        assert total == pytest.approx((items @ person)[expected], rel=1e-5)


def test_where_all_items_are_nearly_alike_the_order_is_still_right():
    rng = np.random.default_rng(5)
    items = (1 + 1e-4 * rng.normal(size=(9_000, 16))).astype(np.float32)
    person = np.ones(16, dtype=np.float32)
    found = Products.of(items, coded(items), person, len(items))
    assert found.highest() == pytest.approx(float((items @ person).max()), rel=1e-6)
    found = Products.of(items, coded(items), person, len(items))
    keys, _ = Scores(found, found.values.copy(), 1.0).best(20)
    assert set(keys.tolist()) == set(np.argsort(-(items @ person), kind="stable")[:20].tolist())


@given(ROWS, WISHES, HISTORIES, st.integers(1, 50))
def test_answers_are_the_same_with_and_without_a_scan(rows, wish, history, model_size):
    model, catalogue = trained(model_size), shop(rows)
    scanned = recommend(replace(model, codes=coded(model.item_factors)), catalogue, did(*history), wish)
    exact = recommend(model, catalogue, did(*history), wish)
    assert scanned.keys.tolist() == exact.keys.tolist()
    assert scanned.scores == pytest.approx(exact.scores, abs=1e-4)
    assert (scanned.strategy, scanned.reasons, scanned.shortfall) == (exact.strategy, exact.reasons, exact.shortfall)
