"""Choosing the best."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recommend.domain.ranking import BLOCKED, best

SCORES = st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0, float("-inf")]) | st.floats(-5, 5, width=32), max_size=600)


@given(SCORES, st.integers(0, 120))
def test_the_best_are_those_of_a_full_sort_ties_by_position_and_never_a_blocked_one(scores, n):
    expected = sorted((place for place, score in enumerate(scores) if score > BLOCKED), key=lambda p: (-scores[p], p))
    assert best(np.array(scores, dtype=np.float32), n).tolist() == expected[:n]


@pytest.mark.parametrize("size", [63, 64, 65, 2_000, 10_007])
def test_many_scores_are_ranked_exactly(size):
    scores = np.random.default_rng(size).normal(size=size).astype(np.float32)
    assert best(scores, 20).tolist() == np.argsort(-scores, kind="stable")[:20].tolist()


@pytest.mark.parametrize("scores", [-np.arange(5_000), np.zeros(5_000), np.arange(5_000) // 7 * -1])
def test_the_first_of_many_equals_and_the_last_that_just_makes_it_are_not_lost(scores):
    assert best(scores.astype(np.float32), 10).tolist() == list(range(10))
