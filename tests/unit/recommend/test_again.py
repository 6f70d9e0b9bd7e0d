"""Whether it is time to buy a thing again."""

import numpy as np
import pytest

from services.recommend.domain import repurchase
from services.recommend.domain.again import Again, by_frequency
from services.recommend.domain.histories import History
from services.recommend.domain.interactions import Kind
from services.recommend.domain.parameters import Parameters
from services.recommend.domain.tastes import Lines, Tastes, tastes

NOW = Tastes(
    np.array([0, 2, 9]),
    np.ones(3, dtype=np.float32),
    np.array([4, 1, 0], dtype=np.float32),
    np.array([1, 1, 0], dtype=np.float32),
    np.array([True, True, False]),
)


def test_odds_are_the_product_of_their_powers():
    found = Again((0.5, 0.0), np.array([1, 1, 3], dtype=np.float32)).odds(NOW)
    assert found == pytest.approx([2, 3, 0], rel=1e-3)


def test_without_anything_learned_the_most_frequent_comes_first():
    assert by_frequency(3).odds(NOW)[:2] == pytest.approx([4, 1], rel=1e-2)


def shop_of_staples(people=150):
    """Everybody buys item 0 each week; one of 20 others once, some of them long ago and some of late."""
    rng = np.random.default_rng(3)
    rows = [(person, 0, 7 * week) for person in range(people) for week in range(12)]
    rows += [(person, int(rng.integers(1, 21)), 7 * week) for person in range(people) for week in range(12)]
    person, item, age = (np.array(column) for column in zip(*rows, strict=True))
    lines = Lines(item, np.full(len(item), Kind.BOUGHT, np.int16), np.ones(len(item), "f4"), age.astype("f4"))
    return History(person, lines, people, 21)


def test_what_comes_again_with_everybody_is_due_before_what_was_bought_once():
    history, parameters = shop_of_staples(), Parameters()
    popularity = np.full(21, 0.1, dtype=np.float32)
    learned = repurchase.learn(history, parameters, popularity)
    once = Lines.of([0, 7], Kind.BOUGHT)
    odds = learned.odds(tastes(once, parameters))
    assert odds[0] > 5 * odds[1] > 0


def test_too_little_to_learn_from_leaves_frequency():
    history = shop_of_staples(people=3)
    learned = repurchase.learn(history, Parameters(), np.ones(21, dtype=np.float32))
    assert learned.weights == (1.0, 0.0)
