"""What another policy would have earned: against simulations in which the truth is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.statistics.off_policy import Logged, effective_size, worth

ITEMS, PLACES = 60, 4


class Shop:
    """Items with a click rate each. The logged policy shows items 0 to 2, and one of items 10 to 59 by lot.

    The other policy shows `others`. People differ, and come several times.
    """

    def __init__(self, seed, others, per_person=3):
        self.dice = np.random.default_rng(seed)
        self.rates = np.random.default_rng(1).uniform(0.02, 0.3, ITEMS)
        self.others = np.asarray(others)
        self.per_person = per_person
        self.chance = 1 / 50

    @property
    def truth(self):
        return self.rates[self.others].sum()

    def log(self, rounds, without_support=False):
        unit = np.arange(rounds) // self.per_person
        moods = self.dice.uniform(0.5, 1.5, unit[-1] + 1)[unit]
        drawn = self.dice.integers(10, ITEMS, rounds)
        shown = np.column_stack([np.tile([0, 1, 2], (rounds, 1)), drawn])
        clicks = self.dice.random(shown.shape) < self.rates[shown] * moods[:, None]
        both = np.isin(shown, self.others)
        where, place = np.nonzero(both)
        probability = np.where(place == 3, self.chance, 1.0)
        return Logged(
            probability,
            clicks[both].astype(float),
            where,
            unit,
            np.full(rounds, float(len(self.others))),
            clicks.sum(axis=1).astype(float),
        )


def test_the_estimate_is_unbiased_and_its_interval_covers_the_truth_19_times_in_20():
    shop = Shop(5, [0, 1, 20, 41])
    found = [worth(shop.log(3_000)) for _ in range(300)]
    for name in ("ips", "snips"):
        values = np.array([getattr(one, name).value for one in found])
        assert values.mean() == pytest.approx(shop.truth, abs=3 * values.std() / 300**0.5)
        covered = sum(getattr(one, name).low <= shop.truth <= getattr(one, name).high for one in found)
        assert 0.91 <= covered / 300 <= 0.99
    logged = shop.rates[[0, 1, 2]].sum() + shop.rates[10:].mean()
    gain = shop.truth - logged
    assert sum(one.gain.low <= gain <= one.gain.high for one in found) / 300 >= 0.91
    assert np.mean([one.support for one in found]) == pytest.approx(1, abs=0.01)


def test_people_who_come_often_do_not_make_it_surer():
    alone, together = Shop(7, [0, 1, 2], 1), Shop(7, [0, 1, 2], 50)
    few, many = (np.mean([worth(shop.log(2_000)).ips.high for _ in range(20)]) for shop in (alone, together))
    assert many > few


def test_what_the_log_could_never_show_is_told_and_only_the_self_normalised_estimate_makes_up_for_it():
    shop = Shop(9, [0, 1, 5, 6])  # 5 and 6 had no chance
    shop.rates[:] = 0.1
    found = worth(shop.log(4_000))
    assert found.support == pytest.approx(0.5)
    assert found.ips.value == pytest.approx(0.2, abs=0.02)
    assert found.snips.value == pytest.approx(0.4, abs=0.04)


def test_the_effective_size_says_how_much_the_draws_are_worth():
    found = worth(Shop(3, [0, 1, 20, 41]).log(3_000))
    assert found.effective_drawn == pytest.approx(3_000 * 2 / 50, rel=0.3)
    assert found.effective_drawn < found.effective < 3_000 * 4
    assert found.drawn_share == pytest.approx(0.5, abs=0.08)
    assert found.effective_rewards < found.effective


def test_clipping_makes_it_steadier_and_tells_what_it_took():
    shop = Shop(13, [0, 1, 20, 41])
    logs = [shop.log(1_000) for _ in range(60)]
    full, cut = ([worth(log, clip).ips.value for log in logs] for clip in (None, 10.0))
    assert np.std(cut) < np.std(full) / 2
    assert np.mean(cut) < shop.truth - 0.05
    found = worth(logs[0], 10.0)
    assert found.clip == 10
    assert 0.3 < found.clipped < 0.5
    assert worth(logs[0]).clipped == 0  # weights that are all alike are left alone


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=50))
def test_an_effective_size_lies_between_one_and_the_number(weights):
    assert 1 - 1e-9 <= effective_size(weights) <= len(weights) + 1e-6
    assert effective_size([3.0] * len(weights)) == pytest.approx(len(weights))


def test_a_log_without_anything_in_common_says_nothing():
    none = np.empty(0)
    found = worth(Logged(none, none, none.astype(int), np.array([0, 1]), np.array([4.0, 4.0]), np.array([1.0, 0.0])))
    assert (found.support, found.effective, found.effective_rewards, found.snips.value) == (0, 0, 0, 0)
    assert found.logged.value == 0.5


def test_one_person_is_no_sample():
    one = Logged(np.ones(1), np.ones(1), np.zeros(1, int), np.zeros(1, int), np.ones(1), np.ones(1))
    assert worth(one).ips.high == np.inf
