"""What is counted of many people: bought together, wanted more than usual, bought again after how long."""

from itertools import combinations
from math import exp, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.recommend.domain.habits import habits_of
from services.recommend.domain.histories import History
from services.recommend.domain.interactions import Kind
from services.recommend.domain.pairs import FEWEST, bought_together
from services.recommend.domain.rhythms import due, usual_rhythms
from services.recommend.domain.tastes import Lines
from services.recommend.domain.trends import trending


def history(deeds, items, countries=None):
    """Everybody's (person, item, kind, days ago)."""
    columns = list(zip(*deeds, strict=True)) or [()] * 4
    people, keys = (np.asarray(column, dtype=np.int64) for column in columns[:2])
    ages = np.asarray(columns[3], dtype=np.float32)
    lines = Lines(keys, np.asarray(columns[2], dtype=np.int16), np.ones(len(keys), dtype=np.float32), ages)
    return History(people, lines, int(people.max(initial=-1)) + 1, items, countries or {})


def orders(baskets):
    """Each basket an order of a person of its own."""
    return [(person, item, Kind.BOUGHT, 5.0) for person, basket in enumerate(baskets) for item in basket]


def partners(pairs, key):
    items, lows = pairs.of(key)
    return dict(zip(items.tolist(), lows.tolist(), strict=True))


def test_a_pair_is_found_by_its_lift_and_its_interval():
    baskets = [(0, 1)] * 30 + [(0,)] * 10 + [(1,)] * 10 + [(2,)] * 50
    pairs = bought_together(history(orders(baskets), 3))
    lift = 30 * 100 / (40 * 40)
    deviation = sqrt(1 / 30 - 1 / 40 - 1 / 40 + 2 * 30 / (40 * 40) - 1 / 100)
    assert pairs.items.tolist() == [1, 0]
    assert pairs.lifts[0] == pytest.approx([lift, lift / exp(1.96 * deviation), lift * exp(1.96 * deviation)], rel=1e-5)
    assert partners(pairs, 2) == {}
    assert partners(pairs, 99) == {}, "an item that came after the training"


def test_a_pair_of_few_orders_or_of_chance_is_none():
    rare = bought_together(history(orders([(0, 1)] * (FEWEST - 1) + [(2,)] * 100), 3))
    assert len(rare.items) == 0
    chance = bought_together(history(orders([(0, 1)] * 25 + [(0,)] * 25 + [(1,)] * 25 + [()] * 25 + [(2,)] * 25), 3))
    assert len(chance.items) == 0


@settings(max_examples=30)
@given(st.lists(st.sets(st.integers(0, 5), min_size=1, max_size=4), min_size=1, max_size=12), st.integers(5, 12))
def test_pairs_are_counted_as_by_hand(baskets, times):
    baskets = [tuple(basket) for basket in baskets for _ in range(times)]
    pairs = bought_together(history(orders(baskets), 6))
    for one, other in combinations(range(6), 2):
        both = sum(one in basket and other in basket for basket in baskets)
        single = [sum(key in basket for basket in baskets) for key in (one, other)]
        found = partners(pairs, one).get(other)
        assert found == partners(pairs, other).get(one)
        if both < FEWEST:
            assert found is None
        elif found is not None:
            assert 1 < found <= both * len(baskets) / (single[0] * single[1]) * (1 + 1e-6)


def test_two_orders_of_one_person_are_two_and_one_item_twice_in_an_order_is_one():
    deeds = [(0, item, Kind.BOUGHT, age) for age in range(20) for item in (0, 0, 1)]
    deeds += [(1, 2, Kind.BOUGHT, age) for age in range(20)]
    pairs = bought_together(history(deeds, 3))
    assert pairs.lifts[0][0] == pytest.approx(2)


def test_what_is_wanted_more_than_usual_trends_and_a_busy_day_makes_no_trend():
    steady = [(person, person % 2, Kind.VIEWED, float(day)) for day in range(60) for person in range(10)]
    assert trending(history(steady, 3)).max() == 0
    busy = [(person, item, Kind.VIEWED, 0.1) for person in range(10, 40) for item in (0, 1)]
    assert trending(history([*steady, *busy], 3)).max() == 0
    now = [(person, 2, Kind.VIEWED, 0.2) for person in range(10, 30)]
    trend = trending(history([*steady, *now], 3))
    assert trend.tolist() == [0, 0, 1]


def test_nobody_makes_a_trend_alone():
    crowd = [(person, 0, Kind.BOUGHT, 0.2) for person in range(20)]
    one = [(90, 1, Kind.BOUGHT, 0.2)] * 50
    usual = [(person, item, Kind.BOUGHT, 30.0) for person in range(20) for item in (0, 1)]
    assert trending(history([*crowd, *one, *usual], 2)).tolist() == [1, 0]


def test_a_country_has_trends_of_its_own():
    here, there = np.arange(20), np.arange(20, 40)
    deeds = [(int(one), number, Kind.VIEWED, 0.1) for number, people in enumerate((here, there)) for one in people]
    deeds += [(person, item, Kind.BOUGHT, 30.0) for person in range(40) for item in (0, 1)]
    habits = habits_of(history(deeds, 2, {"CN": here, "NZ": there}), ("CN", "NZ"))
    assert habits.trend("CN").argmax() == 0
    assert habits.trend("NZ").argmax() == 1
    assert habits.trend("FR") is habits.trending


def test_the_usual_rhythm_is_the_median_gap_where_enough_is_known():
    gaps = (7, 8, 9, 10, 11, 12, 13, 14, 15, 100)
    deeds = [(person, 0, Kind.BOUGHT, float(age)) for person, gap in enumerate(gaps) for age in (3, 3 + gap)]
    deeds += [(person, 1, Kind.BOUGHT, float(age)) for person in range(9) for age in (3, 10)]
    deeds += [(0, 0, Kind.VIEWED, 1.0), (0, 0, Kind.BOUGHT, 3.1)]  # of the same visit: one purchase
    rhythms = usual_rhythms(history(deeds, 3))
    assert rhythms[0] == pytest.approx(11.5)
    assert np.isnan(rhythms[1:]).all()


def test_an_item_bought_once_is_due_by_everybodys_rhythm_and_ones_own_gap_weighs_more_and_more():
    kinds = np.full(4, Kind.BOUGHT, dtype=np.int16)
    ages = np.array([20, 40, 20, 0.1], dtype=np.float32)
    lines = Lines(np.array([0, 1, 1, 2]), kinds, np.ones(4, dtype=np.float32), ages)
    usual = np.array([30, 40, 10], dtype=np.float32)
    found = due(lines, np.array([0, 1, 2]), usual)
    days = dict(zip(found.keys.tolist(), found.days.tolist(), strict=True))
    assert days == pytest.approx({0: 10, 1: (20 + 40) / 2 - 20}), "what was bought an hour ago is not asked for again"
