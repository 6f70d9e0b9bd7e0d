"""Whether it is time to buy a thing again."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recommend.domain import repurchase
from services.recommend.domain.again import FIGURES, Again, evidence
from services.recommend.domain.histories import History
from services.recommend.domain.interactions import Kind
from services.recommend.domain.parameters import Parameters
from services.recommend.domain.tastes import Lines, tastes

COUNTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.sampled_from(list(Kind))), max_size=30)


def lines(*deeds):
    """(item, age in days) each, bought, or what a third word says."""
    rows = [(item, age, kind[0] if kind else Kind.BOUGHT) for item, age, *kind in deeds]
    item, age, kind = (np.array(column) for column in zip(*rows, strict=True))
    return Lines(item.astype(np.int64), kind.astype(np.int16), np.ones(len(rows), "f4"), age.astype("f4"))


def evidence_of(some):
    return evidence(some.keys, some.kinds, some.ages)


def test_evidence_counts_visits_and_not_lines_and_passes_over_what_was_not_bought():
    some = lines((7, 20.0), (7, 10.0), (7, 10.01), (3, 10.0), (5, 1.0, Kind.VIEWED), (3, 0.0))
    keys, table = evidence_of(some)
    assert keys.tolist() == [3, 7]  # visits: 20, 10 and 0 days ago
    once, life, gap = 8, 4, 10
    assert table[:, 0] == pytest.approx(np.log1p([2, 2]))  # how often
    assert table[:, 2] == pytest.approx(np.log1p([0, 1]))  # visits since
    assert table[:, life] == pytest.approx(np.log1p([2, 3]))
    assert table[:, gap] == pytest.approx(np.log1p([1, 1]))
    assert table[:, once].tolist() == [0, 0]
    assert table[:, 14] == pytest.approx(np.log([1 + 0.6 + 1e-3, 0.6 + 0.36 + 1e-3]))
    assert table[:, 15] == pytest.approx(np.log([3, 3]))


@given(COUNTS, st.randoms())
def test_the_order_of_the_lines_and_the_length_of_a_pause_change_nothing(deeds, chance):
    rows = [(item, float(visit), kind) for item, visit, kind in deeds]
    shuffled = chance.sample(rows, len(rows))
    slower = [(item, age * 3, kind) for item, age, kind in rows]
    if rows:
        keys, table = evidence_of(lines(*rows))
        assert keys.tolist() == sorted({item for item, _, kind in rows if kind is Kind.BOUGHT})
        assert table.shape == (len(keys), FIGURES)
        assert np.isfinite(table).all()
        for other in (shuffled, slower):
            same_keys, same = evidence_of(lines(*other))
            assert np.array_equal(keys, same_keys)
            assert same == pytest.approx(table)


def test_chances_follow_the_weights_and_what_was_given_back_has_none():
    again = Again(np.eye(FIGURES, dtype=np.float32)[0], np.array([0, 0, -1], dtype=np.float32), unknown=2.0)
    some = lines((0, 9.0), (2, 9.0), (4, 9.0), (1, 9.0), (1, 8.0, Kind.RETURNED), (3, 1.0, Kind.VIEWED))
    found = again.chances(some, tastes(some, Parameters()))
    odds = np.log(2) + np.array([0, -1, 2])
    assert found[[0, 2, 4]] == pytest.approx(1 / (1 + np.exp(-odds)))
    assert found[[1, 3]].tolist() == [0, 0]


def shop_of_staples(people=150):
    """Everybody buys item 0 each week; one of 20 others once, some of them long ago and some of late."""
    rng = np.random.default_rng(3)
    rows = [(person, 0, 7 * week) for person in range(people) for week in range(12)]
    rows += [(person, int(rng.integers(1, 21)), 7 * week) for person in range(people) for week in range(12)]
    person, item, age = (np.array(column) for column in zip(*rows, strict=True))
    bought = Lines(item, np.full(len(item), Kind.BOUGHT, np.int16), np.ones(len(item), "f4"), age.astype("f4"))
    return History(person, bought, people, 21)


def test_what_comes_again_with_everybody_is_due_before_what_was_bought_once():
    learned = repurchase.learn(shop_of_staples())
    some = lines((0, 7.0), (7, 7.0), (0, 14.0), (8, 14.0))
    chances = learned.chances(some, tastes(some, Parameters()))
    assert chances[0] > 5 * chances[1:].max() > 0


def test_what_is_taken_in_turns_is_due_in_turns():
    rows = [(person, 1 + (visit + person) % 2, 7 * visit + 7) for person in range(120) for visit in range(12)]
    person, item, age = (np.array(column) for column in zip(*rows, strict=True))
    bought = Lines(item, np.full(len(item), Kind.BOUGHT, np.int16), np.ones(len(item), "f4"), age.astype("f4"))
    learned = repurchase.learn(History(person, bought, 120, 3))
    own = bought.some(person == 0)
    chances = learned.chances(own, tastes(own, Parameters()))
    last = own.keys[own.ages.argmin()]
    assert (chances[2 - last], chances[last - 1]) == (pytest.approx(1, abs=0.1), pytest.approx(0, abs=0.1))


def test_nothing_of_the_visit_that_is_foretold_or_after_it_is_seen_of_the_items():
    history = shop_of_staples()
    bought = repurchase._Bought.of(history)
    before = repurchase._of_items(bought, 1, history)
    older = history.lines.ages > 7  # the last visit was today, the one before it seven days ago
    past = History(history.people[older], history.lines.some(older).aged(-7), history.person_count, 21)
    assert before == pytest.approx(repurchase._of_items(repurchase._Bought.of(past), -1, past), abs=1e-5)


def test_too_little_to_learn_from_leaves_frequency():
    assert repurchase.learn(shop_of_staples(people=3)) is None
    nobody = replace(shop_of_staples(people=3), people=np.empty(0, np.int64), lines=Lines.of([], Kind.BOUGHT))
    assert repurchase.learn(nobody) is None
