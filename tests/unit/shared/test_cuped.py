"""A comparison sharpened by what was known before: the same difference, less noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.statistics.comparing import welch
from shared.statistics.cuped import Paired, adjusted, slope_of, variance_saved


def paired(values, before):
    return Paired(
        len(values),
        float(np.sum(values)),
        float(np.sum(np.square(values))),
        float(np.sum(before)),
        float(np.sum(np.square(before))),
        float(np.sum(values * before)),
    )


def drawn(dice, n, lift, correlation):
    before = dice.normal(50, 10, n)
    noise = dice.normal(0, 10 * (1 - correlation**2) ** 0.5, n)
    return 100 + lift + correlation * (before - 50) + noise, before


def test_the_variance_falls_by_the_square_of_the_correlation_and_the_estimate_does_not_shift():
    dice, plain, sharper, covered = np.random.default_rng(23), [], [], 0
    for _ in range(400):
        arms = [paired(*drawn(dice, 300, lift, 0.8)) for lift in (0, 2)]
        control, treated = adjusted(arms)
        found = welch(treated, control)
        plain.append(arms[1].raw.mean - arms[0].raw.mean)
        sharper.append(found.estimate)
        covered += found.low <= 2 <= found.high
    assert np.mean(sharper) == pytest.approx(2, abs=3 * np.std(sharper) / 20)
    assert np.var(sharper) / np.var(plain) == pytest.approx(1 - 0.8**2, rel=0.25)
    assert covered / 400 >= 0.92


def test_without_correlation_or_without_anything_known_before_nothing_changes():
    dice = np.random.default_rng(4)
    alone = [paired(*drawn(dice, 2_000, 0, 0.0)) for _ in range(2)]
    assert variance_saved(alone) < 0.01
    unknown = [paired(drawn(dice, 50, 0, 0.5)[0], np.zeros(50)) for _ in range(2)]
    assert slope_of(unknown) == variance_saved(unknown) == 0
    assert adjusted(unknown) == [arm.raw for arm in unknown]
    assert adjusted([Paired(0, 0, 0, 0, 0, 0)] * 2)[0].mean == 0


def test_the_slope_is_that_within_arms_so_that_an_effect_is_not_taken_for_a_habit():
    before = np.arange(10.0)
    arms = [paired(2 * before, before), paired(2 * before + 100, before + 5)]
    assert slope_of(arms) == pytest.approx(2)
    control, treated = adjusted(arms)
    assert treated.mean - control.mean == pytest.approx(100 - 2 * 5)


@given(st.integers(0, 2**32), st.floats(-3, 3))
def test_sums_say_the_same_as_the_people_one_by_one(seed, slope):
    dice = np.random.default_rng(seed)
    values, before = drawn(dice, 40, 1, 0.6)
    found = paired(values, before).less(slope, 47.0)
    one_by_one = values - slope * (before - 47.0)
    assert found.mean == pytest.approx(one_by_one.mean())
    assert found.variance == pytest.approx(one_by_one.var(ddof=1), rel=1e-6)
