"""Measures of a ranking, by hand."""

import pytest

from services.recommend.domain.metrics import ndcg, recall


def test_a_perfect_ranking_has_one():
    assert ndcg([1, 2, 3], {1, 2}, 10) == pytest.approx(1)


def test_a_hit_in_second_place_is_worth_its_discount():
    assert ndcg([9, 1], {1}, 2) == pytest.approx(0.63093, abs=1e-5)


def test_what_is_beyond_k_does_not_count():
    assert ndcg([9, 1], {1}, 1) == 0
    assert recall([9, 1], {1}, 1) == 0


def test_recall_is_a_share_of_what_was_wanted():
    assert recall([1, 9, 2], {1, 2, 3, 4}, 3) == 0.5
