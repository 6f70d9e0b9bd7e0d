"""Lifecycle stages by the customer's own rhythm."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.segmentation.domain.lifecycle import QUANTILES, STAGES, Gaps, rhythm, silence, stages

# A shop whose gaps spread evenly over 0 to 100 days: P80 is 80, P95 is 95.
SHOP = Gaps(1000, 50.0, tuple(100 * q for q in QUANTILES))
NONE = float("nan")


def stage(days: int, recency: float, mean: float = NONE, last: float = NONE, before: float = NONE) -> str | None:
    arrays = [np.array([float(value)]) for value in (days, recency, mean, last, before)]
    found: str | None = stages(*arrays, SHOP)[0]
    return found


@pytest.mark.parametrize(
    ("recency", "expected"),
    [(0, "new"), (80, "new"), (81, "cooling"), (96, "at_risk"), (190, "at_risk"), (191, "lost")],
)
def test_who_bought_once_is_measured_by_the_shops_rhythm(recency: int, expected: str) -> None:
    assert stage(1, recency) == expected


def test_forty_days_are_nothing_for_one_customer_and_a_loss_for_another() -> None:
    # Mei buys every 60 days, Li bought forty times, every two days.
    assert stage(7, 40, mean=60, last=60, before=60) == "active"
    assert stage(41, 40, mean=2, last=2, before=2) == "lost"


def test_a_daily_customer_is_not_called_away_after_a_long_weekend() -> None:
    assert stage(200, 6, mean=1, last=1, before=1) == "active"
    assert stage(200, 29, mean=1, last=1, before=1) == "at_risk"


def test_an_order_after_a_silence_that_was_a_loss_wins_back() -> None:
    assert stage(5, 3, mean=80, last=290, before=10) == "won_back"


def test_the_order_after_that_makes_an_ordinary_active_customer() -> None:
    assert stage(6, 3, mean=70, last=30, before=80) == "active"


def test_somebody_won_back_cools_like_everybody_else() -> None:
    assert stage(5, 400, mean=80, last=290, before=10) == "lost"


def test_without_an_order_there_is_no_stage() -> None:
    assert stage(0, NONE) is None


def test_the_own_rhythm_gains_on_the_shops_with_every_gap() -> None:
    found = rhythm(np.array([10.0, 10.0, 10.0]), np.array([1.0, 10.0, 100.0]), SHOP)
    assert found[0] > found[1] > found[2] > 10 / 50


def test_silence_is_the_share_of_gaps_it_exceeds() -> None:
    own = np.array([1.0, 1.0, 0.5, 1.0])
    found = silence(np.array([0.0, 50.0, 40.0, 500.0]), own, SHOP)
    assert found.tolist() == pytest.approx([0.0, 0.49, 0.79, 0.99], abs=0.011)


def test_a_shop_without_repeat_orders_borrows_a_months_rhythm() -> None:
    assert Gaps.observed(3, 2.0, [1.0] * 99).count == 0
    assert Gaps.observed(0, None, None).at(0.5) == pytest.approx(20.8, abs=0.1)


def test_a_basis_survives_storage() -> None:
    assert Gaps.from_json(SHOP.as_json()) == SHOP


@given(st.integers(1, 50), st.floats(0, 200), st.floats(0, 200), st.integers(0, 2000), st.integers(1, 200))
def test_more_silence_never_brings_a_customer_nearer(
    days: int, mean: float, before: float, recency: int, more: int
) -> None:
    order = {"new": 0, "active": 0, "won_back": 0, "cooling": 1, "at_risk": 2, "lost": 3}
    now, later = (stage(days, silent, mean, mean, before) for silent in (recency, recency + more))
    assert now in STAGES
    assert order[str(now)] <= order[str(later)]
