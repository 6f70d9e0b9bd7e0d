"""Many people at once are seen as each of them alone, and only by what was known then."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.recommend.domain import audiences
from services.recommend.domain.audience_reasons import CODES, NONE, reasons_of
from services.recommend.domain.audiences import FEATURES, People, Target, Top, bought_within, features_of
from services.recommend.domain.interactions import Kind
from services.recommend.domain.parameters import Parameters
from services.recommend.domain.propensity import Logistic
from services.recommend.domain.tastes import Lines

ITEMS = 6
TARGET = Target(
    near=np.linspace(0, 1, ITEMS, dtype=np.float32),
    wanted=np.arange(ITEMS) == 2,
    family=np.isin(np.arange(ITEMS), [2, 3]),
)
LINE = st.tuples(st.integers(0, ITEMS - 1), st.sampled_from(list(Kind)), st.floats(0, 100, width=32))
PERSON = st.lists(LINE, max_size=8)


def people(given):
    """The lines of each person, one after the other."""
    flat = [line for person in given for line in person]
    keys, kinds, ages = (list(column) for column in zip(*flat, strict=True)) if flat else ([], [], [])
    lines = Lines(
        np.array(keys, dtype=np.int64),
        np.array(kinds, dtype=np.int16),
        np.ones(len(flat), dtype=np.float32),
        np.array(ages, dtype=np.float32),
    )
    return People(np.array([len(person) for person in given], dtype=np.int64), lines)


@settings(max_examples=80, deadline=None)
@given(st.lists(PERSON, min_size=1, max_size=6))
def test_everybody_is_seen_as_they_are_alone(given_people):
    together = features_of(people(given_people), TARGET, Parameters())
    alone = [features_of(people([person]), TARGET, Parameters())[0] for person in given_people]
    np.testing.assert_allclose(together, np.stack(alone), rtol=1e-5, atol=1e-6)


@settings(max_examples=80, deadline=None)
@given(PERSON, PERSON)
def test_what_happened_later_changes_nothing_of_what_was_known_then(before, after):
    before = [(key, kind, age + 28) for key, kind, age in before]
    after = [(key, kind, min(age, 27.9)) for key, kind, age in after]
    then = people([before + after]).as_of(28)
    known = features_of(people([before]).as_of(28), TARGET, Parameters())
    np.testing.assert_allclose(features_of(then, TARGET, Parameters()), known, rtol=1e-5, atol=1e-6)


def test_a_buyer_of_the_item_is_told_from_one_of_the_category_and_from_others():
    mei, li, an = features_of(
        people([[(2, Kind.BOUGHT, 3)], [(3, Kind.BOUGHT, 3)], [(5, Kind.BOUGHT, 3)]]), TARGET, Parameters()
    )
    wanted, family, near = (FEATURES.index(name) for name in ("wanted", "family", "near"))
    assert mei[wanted] > li[wanted] == an[wanted] == 0
    assert mei[family] == li[family] > an[family] == 0
    assert an[near] > li[near] > mei[near]


def test_the_category_as_what_is_wanted_is_the_family_seen_as_wanted():
    some = people([[(2, Kind.BOUGHT, 3), (3, Kind.BOUGHT, 9)], [(3, Kind.BOUGHT, 1)], [(1, Kind.VIEWED, 1)]])
    of_family = Target(TARGET.near, TARGET.family, TARGET.family)
    seen = audiences.as_family(features_of(some, TARGET, Parameters()))
    np.testing.assert_allclose(seen, features_of(some, of_family, Parameters()), rtol=1e-5)


def test_who_has_bought_it_lately_is_known_to_the_day():
    some = people([[(2, Kind.BOUGHT, 29.9)], [(2, Kind.BOUGHT, 30.0)], [(3, Kind.BOUGHT, 1)], [(2, Kind.VIEWED, 1)]])
    assert bought_within(some, TARGET.wanted, 30).tolist() == [True, False, False, False]


def test_without_a_model_nothing_is_near():
    assert not audiences.nearness(None, TARGET.wanted).any()


@given(st.lists(st.lists(st.integers(0, 9), max_size=9), max_size=6), st.integers(1, 12))
def test_the_best_of_pieces_are_the_best_of_all_and_equals_stay_in_order(pieces, k):
    top, number = Top.of(k), 0
    for piece in pieces:
        ids = np.array([index.to_bytes(16, "big") for index in range(number, number + len(piece))], dtype="V16")
        number += len(piece)
        nothing = np.zeros(len(piece), dtype=np.int64)
        top.offer(np.array(piece, dtype=float), ids, nothing, nothing.astype(bool), np.empty((len(piece), 0), np.int8))
    flat = [score for piece in pieces for score in piece]
    best = sorted(range(len(flat)), key=lambda index: -flat[index])[:k]
    assert [int.from_bytes(bytes(one), "big") for one in top.people] == best
    assert top.scores.tolist() == pytest.approx([flat[index] for index in best])


def codes(told):
    return [[CODES[place] for place in row if place != NONE] for row in told.tolist()]


def test_a_reason_is_what_goes_with_buying_and_what_somebody_has_more_of_than_others():
    weights = np.array([-3.0, 0.5, 2.0, 0.0, -1.0, 1.0, 0.0])
    learned = Logistic(np.full(6, 1.0), np.full(6, 0.5), weights)
    mei = [1.5, 2.0, 9.0, 9.0, 1.01, 9.0]  # bought it; what has no weight, or speaks against it, is no reason
    li = [0.5, 0.0, 0.0, 0.0, 1.5, 0.0]
    an = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]  # less of "buys often", which speaks against it, is not "buys often"
    told = codes(reasons_of(np.array([mei, li, an], dtype=np.float32), learned))
    assert told == [["has_bought_it", "likes_what_is_like_it"], ["was_here_lately"], []]


def test_where_the_category_was_learned_nobody_is_said_to_have_bought_the_item():
    learned = Logistic(np.zeros(6), np.ones(6), np.array([0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0]))
    mei = np.array([[0, 1, 1, 0, 0, 0]], dtype=np.float32)
    assert codes(reasons_of(mei, learned, of_family=True)) == [["buys_the_category"]]
    assert codes(reasons_of(mei, None, of_family=True)) == [["buys_the_category"]]
