"""The blend is chosen on the shop's own data, and nothing of the future is seen while it is."""

import numpy as np
import pytest

from services.recommend.domain.histories import History
from services.recommend.domain.interactions import Kind
from services.recommend.domain.parameters import AlsParameters, Blend, Parameters
from services.recommend.domain.tastes import Lines
from services.recommend.domain.training import train
from services.recommend.domain.validation import choose_blend

SMALL = Parameters(als=AlsParameters(factors=4, iterations=3))


def history(rows, people, items):
    """(person, item, age in days) each, all bought."""
    person, item, age = (np.array(column) for column in zip(*rows, strict=True))
    size = len(person)
    lines = Lines(item.astype(np.int64), np.full(size, Kind.BOUGHT, np.int16), np.ones(size, "f4"), age.astype("f4"))
    return History(person.astype(np.int64), lines, people, items)


def creatures_of_habit(people=120, items=60, seed=1):
    """Each buys the same three things every week, and something else besides."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(people):
        habits = rng.choice(items, 3, replace=False)
        for week in range(20):
            rows += [(person, item, week * 7 + 1) for item in [*habits, rng.integers(items)]]
    return history(rows, people, items)


def test_a_shop_of_repeat_buys_is_foretold_by_personal_frequency():
    blend, figures = choose_blend(creatures_of_habit(), SMALL)
    evidence = figures["next_basket_ndcg_10"]
    assert evidence["frequency"] > evidence["popular"] + 0.3
    assert evidence["blend"] >= evidence["frequency"] - 0.01
    assert blend.repeat_popular <= 0.05


def test_weights_that_gain_nothing_are_not_taken():
    blend, _ = choose_blend(creatures_of_habit(), SMALL)
    assert (blend.repeat_collaborative, blend.repeat_popular) == (0, 0)


def test_with_too_few_people_the_default_blend_stays():
    blend, figures = choose_blend(creatures_of_habit(people=20), SMALL)
    assert blend == Blend()
    assert figures["people"] == 20


def test_the_past_of_a_cut_knows_nothing_of_what_came_after():
    everything = creatures_of_habit()
    past = everything.before(14)
    assert len(past) + len(everything.since(14)) == len(everything)
    assert past.lines.ages.min() >= 0
    assert past.lines.ages.max() == pytest.approx(everything.lines.ages.max() - 14)


def test_the_same_history_gives_the_same_model():
    first, second = train(creatures_of_habit(), SMALL), train(creatures_of_habit(), SMALL)
    assert np.array_equal(first.item_factors, second.item_factors)
    assert np.array_equal(first.popularity, second.popularity)
    assert (first.blend, first.figures) == (second.blend, second.figures)
