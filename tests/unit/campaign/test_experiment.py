"""The arithmetic of a comparison, against published figures and against simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.campaign.domain.experiment import Sample, sample_ratio_p, sample_size, two_proportions, welch
from services.campaign.domain.report import REPLAY_NOTE, Arm, daily, lift


def sample(values):
    return Sample(len(values), float(np.sum(values)), float(np.sum(np.square(values))))


def test_sample_ratio_of_600_to_400():
    assert sample_ratio_p([600, 400], [1, 1]) == pytest.approx(2.54e-10, rel=0.005)


def test_sample_ratio_of_the_published_example():
    assert sample_ratio_p([821_588, 815_482], [1, 1]) == pytest.approx(1.8e-6, rel=0.02)


def test_a_holdout_of_a_tenth_is_no_mismatch():
    assert sample_ratio_p([2222, 247], [0.9, 0.1]) > 0.9


def test_sample_size_of_the_published_example():
    assert sample_size(0.20, 0.05) == 1030


@given(
    st.lists(st.integers(0, 50_000), min_size=2, max_size=40),
    st.lists(st.integers(0, 50_000), min_size=2, max_size=40),
)
def test_welch_from_sums_is_scipys_welch(treated, held_out):
    ours = welch(sample(treated), sample(held_out))
    if np.var(treated) * np.var(held_out) == 0:  # scipy warns of samples without variance
        assert ours.estimate == pytest.approx(np.mean(treated) - np.mean(held_out))
        return
    theirs = stats.ttest_ind(treated, held_out, equal_var=False)
    interval = theirs.confidence_interval(0.95)
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-6, abs=1e-9)
    assert ours.low == pytest.approx(interval.low, rel=1e-6, abs=1e-4)
    assert ours.high == pytest.approx(interval.high, rel=1e-6, abs=1e-4)


def test_newcombes_own_example():
    # Newcombe 1998, example (a) of table II: 56/70 against 48/80, method 10: 0.0524 to 0.3339.
    found = two_proportions(56, 70, 48, 80)
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize(("rate", "n"), [(0.02, 250), (0.2, 250), (0.5, 60)])
def test_the_interval_of_rates_covers_the_truth_19_times_in_20(rate, n):
    rng = np.random.default_rng(7)
    hits = 0
    for treated, held_out in zip(rng.binomial(9 * n, rate, 1000), rng.binomial(n, rate, 1000), strict=True):
        found = two_proportions(int(treated), 9 * n, int(held_out), n)
        hits += found.low <= 0 <= found.high
    assert hits >= 930


def test_the_interval_of_skewed_revenue_covers_the_truth_nearly_as_often():
    rng = np.random.default_rng(11)
    hits = 0
    for _ in range(600):
        values = rng.lognormal(3, 1, 2200) * (rng.random(2200) < 0.3)
        found = welch(sample(values[:2000]), sample(values[2000:]))
        hits += found.low <= 0 <= found.high
    assert hits >= 600 * 0.92


def test_an_empty_arm_gives_no_comparison():
    assert welch(Sample(0, 0, 0), Sample(10, 1, 1)) is None
    assert two_proportions(0, 0, 1, 10) is None


def arm(people, buyers=0, revenue=0.0, squares=0.0):
    return Arm(people, buyers, buyers, int(revenue), squares)


def test_a_real_difference_is_found_and_scaled_to_everybody_treated():
    rng = np.random.default_rng(3)
    treated, held_out = rng.normal(1100, 300, 9000), rng.normal(1000, 300, 1000)
    found = lift(
        Arm(9000, 9000, 9000, int(treated.sum()), float((treated**2).sum())),
        Arm(1000, 1000, 1000, int(held_out.sum()), float((held_out**2).sum())),
        0.1,
        replay=False,
        window_over=True,
    )
    assert found["verdict"] == "higher"
    assert found["incremental_revenue_minor"]["estimate"] == pytest.approx(100 * 9000, rel=0.25)
    assert found["incremental_revenue_minor"]["low"] > 0
    assert found["notes"] == []


def test_a_broken_split_blocks_the_verdict():
    found = lift(arm(600, 10, 1000, 1e6), arm(400, 10, 1000, 1e6), 0.1, replay=False, window_over=True)
    assert found["verdict"] == "sample_ratio_mismatch"
    assert found["revenue_per_person_minor"] is None
    assert found["incremental_revenue_minor"] is None
    assert not found["sample_ratio"]["passed"]


def test_a_replay_says_that_it_is_an_a_a_check():
    found = lift(arm(900, 10, 1000, 1e6), arm(100, 1, 100, 1e4), 0.1, replay=True, window_over=True)
    assert [note["code"] for note in found["notes"]] == ["replay"]
    assert "cannot have caused anything" in REPLAY_NOTE


def test_without_a_holdout_nothing_is_claimed():
    found = lift(arm(1000, 10, 1000, 1e6), arm(0), 0.0, replay=False, window_over=False)
    assert found["verdict"] == "no_holdout"
    assert {note["code"] for note in found["notes"]} == {"no_holdout", "window_open"}


def test_days_without_orders_are_days_too():
    from datetime import UTC, datetime

    rows = [{"day": 2, "arm": "treated", "orders": 3, "revenue_minor": 90}]
    series = daily(rows, datetime(2026, 2, 27, 10, tzinfo=UTC), 4)
    assert [entry["date"] for entry in series] == ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"]
    assert [entry["treated"]["orders"] for entry in series] == [0, 0, 3, 0]
