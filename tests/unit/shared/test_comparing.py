"""The arithmetic of a comparison, against published figures, scipy and simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from shared.statistics.comparing import (
    Sample,
    always_valid,
    holm,
    people_needed,
    ratio,
    sample_ratio_p,
    sample_size,
    two_proportions,
    welch,
)


def sample(values):
    return Sample(len(values), float(np.sum(values)), float(np.sum(np.square(values))))


def test_sample_ratios_of_the_published_examples():
    assert sample_ratio_p([600, 400], [1, 1]) == pytest.approx(2.54e-10, rel=0.005)
    assert sample_ratio_p([821_588, 815_482], [1, 1]) == pytest.approx(1.8e-6, rel=0.02)
    assert sample_ratio_p([0, 0], [0.5, 0.5]) == 1


def test_newcombes_own_example():
    # Newcombe 1998, example (a) of table II: 56/70 against 48/80, method 10: 0.0524 to 0.3339.
    found = two_proportions(56, 70, 48, 80)
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


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


def test_looking_every_day_of_four_weeks_raises_a_false_alarm_in_one_of_twenty_at_most():
    dice, naive, ours = np.random.default_rng(17), 0, 0
    for _ in range(400):
        a, b = (np.cumsum(dice.binomial(200, 0.1, 28)) for _ in range(2))
        looks = [two_proportions(int(a[d]), 200 * (d + 1), int(b[d]), 200 * (d + 1)) for d in range(28)]
        naive += any(one.p_value < 0.05 for one in looks)
        ours += any(one.always_low > 0 or one.always_high < 0 for one in looks)
    assert naive / 400 > 0.15
    assert ours / 400 <= 0.05


def test_the_sequence_is_wider_than_the_interval_and_narrows():
    widths = [always_valid(0.2 / n, n, 0.05) for n in (100, 1_000, 10_000, 100_000)]
    assert widths == sorted(widths, reverse=True)
    assert all(w > 1.96 * (0.2 / n) ** 0.5 for w, n in zip(widths, (100, 1_000, 10_000, 100_000), strict=True))


def test_the_delta_method_tells_how_much_a_click_rate_varies():
    dice, rates, said = np.random.default_rng(5), [], []
    for _ in range(300):
        shown = dice.integers(1, 30, 400)
        own = dice.beta(2, 18, 400)  # people differ: clicks of one person hang together
        clicks = dice.binomial(shown, own)
        rate, variance = ratio(
            clicks.sum(), (clicks**2).sum(), shown.sum(), (shown**2).sum(), (clicks * shown).sum(), 400
        )
        rates.append(rate)
        said.append(variance)
    assert np.mean(said) == pytest.approx(np.var(rates), rel=0.25)


def test_holm_is_as_published():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


def test_people_needed_see_the_difference_four_times_in_five():
    n = people_needed(1.0, 0.2)
    dice = np.random.default_rng(9)
    seen = sum(stats.ttest_ind(dice.normal(0.2, 1, n), dice.normal(0, 1, n)).pvalue < 0.05 for _ in range(400))
    assert seen / 400 == pytest.approx(0.8, abs=0.06)
    assert people_needed(0.0, 0.1) is None


def test_a_holdout_of_a_tenth_is_no_mismatch():
    assert sample_ratio_p([2222, 247], [0.9, 0.1]) > 0.9


def test_sample_size_of_the_published_example():
    assert sample_size(0.20, 0.05) == 1030


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
