"""Probabilities are counted: what is said of a score is what happened to people with such scores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.recommend.domain.propensity import (
    Calibration,
    area_under_curve,
    calibrate,
    expected,
    fit_logistic,
    learn,
)


def shop(people: int, seed: int = 1):
    """Customers of whom two features say something of what they buy, and one nothing."""
    dice = np.random.default_rng(seed)
    features = dice.normal(size=(people, 3)).astype(np.float32)
    odds = -3 + 1.2 * features[:, 0] - 0.8 * features[:, 1]
    return features, dice.random(people) < 1 / (1 + np.exp(-odds)), 1 / (1 + np.exp(-odds))


def test_the_weights_that_made_the_data_are_found_again():
    features, bought, _ = shop(40_000)
    found = fit_logistic(features, bought)
    assert found.weights[1:] / found.scale == pytest.approx([1.2, -0.8, 0], abs=0.08)


def test_what_is_said_of_a_score_is_what_people_with_that_score_do():
    told = learn(*shop(30_000, seed=2)[:2])
    features, _, truly = shop(30_000, seed=3)
    scores = told.logistic.score(features)
    said = told.calibration.probability[told.calibration.step_of(scores)]
    for low, high in ((0, 0.5), (0.5, 0.8), (0.8, 0.95), (0.95, 1)):
        chosen = (scores >= np.quantile(scores, low)) & (scores <= np.quantile(scores, high))
        assert said[chosen].mean() == pytest.approx(truly[chosen].mean(), rel=0.2)


def test_the_interval_of_an_audience_holds_the_truth_19_times_in_20():
    hits = 0
    for seed in range(60):
        told = learn(*shop(3_000, seed=100 + seed)[:2])
        features, bought, _ = shop(3_000, seed=500 + seed)
        steps = told.calibration.step_of(told.logistic.score(features))
        best = steps >= np.quantile(steps, 0.7)
        found = expected(told.calibration, np.bincount(steps[best], minlength=len(told.calibration.people)))
        hits += found.low <= bought[best].sum() <= found.high
    assert hits >= 52


def test_scores_that_say_nothing_give_everybody_the_same_probability():
    dice = np.random.default_rng(5)
    told = learn(dice.normal(size=(4_000, 2)).astype(np.float32), dice.random(4_000) < 0.1)
    assert told.auc == pytest.approx(0.5, abs=0.05)
    assert np.ptp(told.calibration.probability) < 0.08


def test_too_few_buyers_are_no_ground_to_promise_anything():
    features, _, _ = shop(1_000)
    bought = np.zeros(1_000, dtype=bool)
    bought[:19] = True
    assert learn(features, bought) is None
    assert learn(features, ~bought) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-5, 5), st.booleans()), min_size=1, max_size=300), st.integers(1, 40))
def test_a_higher_score_never_has_the_lower_probability_and_nobody_is_lost(people, fewest):
    scores, happened = np.array([s for s, _ in people], dtype=float), np.array([h for _, h in people])
    found = calibrate(scores, happened, fewest)
    assert (np.diff(found.probability) >= 0).all()
    assert (found.people.sum(), found.happened.sum()) == (len(people), happened.sum())
    assert (found.people >= min(fewest, len(people))).all()
    assert (np.bincount(found.step_of(scores), minlength=len(found.people)) == found.people).all()
    low, high = found.interval
    assert (low <= found.probability + 1e-12).all()
    assert (high >= found.probability - 1e-12).all()


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=60))
def test_the_area_is_the_chance_that_the_buyer_scores_higher(people):
    buyers, others = [s for s, h in people if h], [s for s, h in people if not h]
    pairs = [(b > o) + (b == o) / 2 for b in buyers for o in others]
    found = area_under_curve(np.array([s for s, _ in people], dtype=float), np.array([h for _, h in people]))
    assert found == pytest.approx(np.mean(pairs) if pairs else 0.5)


def test_a_share_of_what_is_expected_of_the_category_is_expected_of_the_item():
    steps = Calibration(np.array([0.0]), np.array([1000]), np.array([100]))
    assert expected(steps, np.array([500])).count == pytest.approx(50)
    assert expected(steps, np.array([500]), share=0.2).count == pytest.approx(10)
