"""RFM scales and cells."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.segmentation.domain.rfm import CELLS, Scale, cells, recency_scale, scale


def scored(one: Scale, *values: float) -> list[int]:
    return one.score(np.array(values, dtype=float)).tolist()


def test_values_enough_for_five_groups_get_five_scores() -> None:
    assert scored(scale([10, 20, 30, 40], 50), 1, 10, 11, 25, 35, 50) == [1, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("cuts", "largest", "scores"),
    [
        ([1, 1, 2, 4], 9, [1, 2, 4, 5]),
        ([1, 1, 1, 2], 5, [1, 3, 5]),
        ([1, 1, 1, 1], 4, [1, 5]),
        ([1, 1, 1, 1], 1, [3]),
        ([1, 1, 1, 4], 4, [1, 5]),
    ],
)
def test_fewer_values_make_fewer_groups_spread_over_the_same_range(
    cuts: list[float], largest: float, scores: list[int]
) -> None:
    assert list(scale(cuts, largest).scores) == scores


@given(st.lists(st.integers(0, 30), min_size=4, max_size=60))
def test_equal_values_get_equal_scores_and_more_never_less(values: list[int]) -> None:
    ordered = sorted(values)
    cuts = [ordered[int(len(ordered) * share)] for share in (0.2, 0.4, 0.6, 0.8)]
    found = scored(scale(cuts, max(values)), *ordered)
    assert found == sorted(found)
    for a, b in zip(range(len(ordered)), range(1, len(ordered)), strict=False):
        assert ordered[a] != ordered[b] or found[a] == found[b]


@given(st.lists(st.integers(0, 30), min_size=4, max_size=60))
def test_every_group_of_a_scale_has_somebody_in_it(values: list[int]) -> None:
    ordered = sorted(values)
    cuts = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.2, 0.4, 0.6, 0.8)]
    one = scale(cuts, max(values))
    assert set(scored(one, *values)) == set(one.scores)


def test_recency_is_cut_at_the_shops_own_gaps() -> None:
    # Online Retail: half of the gaps are up to 28 days, 80 % up to 70, 95 % up to 155.
    one = recency_scale(28, 70, 155)
    assert scored(one, 0, 28, 29, 70, 155, 156, 310, 311) == [5, 5, 4, 4, 3, 2, 2, 1]


def test_a_shop_where_everybody_comes_daily_still_has_five_recency_groups() -> None:
    assert scored(recency_scale(1, 1, 1), 0, 1, 2, 3, 6, 7) == [5, 5, 4, 3, 2, 1]


def test_every_combination_of_scores_has_a_name() -> None:
    r, f, m = (np.array(one) for one in zip(*product(range(1, 6), repeat=3), strict=True))
    assert set(cells(r, f, m).tolist()) == set(CELLS)


@pytest.mark.parametrize(
    ("scores", "name"),
    [
        ((5, 5, 5), "champions"),
        ((3, 4, 2), "loyal"),
        ((5, 1, 5), "new"),
        ((4, 3, 2), "potential_loyal"),
        ((1, 5, 5), "cannot_lose"),
        ((2, 3, 1), "at_risk"),
        ((2, 1, 1), "hibernating"),
        ((1, 1, 1), "lost"),
    ],
)
def test_the_cells_mean_what_their_names_say(scores: tuple[int, int, int], name: str) -> None:
    r, f, m = (np.array([one]) for one in scores)
    assert cells(r, f, m).tolist() == [name]
