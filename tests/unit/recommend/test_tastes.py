"""From lines to tastes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recommend.domain.interactions import Kind
from services.recommend.domain.parameters import KIND_WEIGHTS, Parameters
from services.recommend.domain.tastes import Lines, as_matrix, tastes, tastes_of_many

MONTHLY = Parameters(affinity_half_life=30, frequency_half_life=30)


def lines(*rows):
    """(key, kind, quantity, age in days) each."""
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    return Lines(*(np.array(c, dtype=t) for c, t in zip(columns, (np.int64, np.int16, "f4", "f4"), strict=True)))


def test_a_purchase_a_half_life_ago_counts_half():
    found = tastes(lines((7, Kind.BOUGHT, 1, 0), (8, Kind.BOUGHT, 1, 30)), MONTHLY)
    assert found.keys.tolist() == [7, 8]
    assert found.frequency.tolist() == pytest.approx([1, 0.5])


def test_a_purchase_counts_by_the_line_and_not_by_the_piece():
    found = tastes(lines((7, Kind.BOUGHT, 40, 0), (7, Kind.BOUGHT, 1, 0)), MONTHLY)
    assert found.frequency.tolist() == pytest.approx([2])


def test_what_came_back_whole_was_not_bought():
    found = tastes(lines((7, Kind.BOUGHT, 3, 5), (7, Kind.RETURNED, 3, 1)), MONTHLY)
    assert (found.bought[0], found.affinity[0], found.frequency[0]) == (False, 0, 0)


def test_of_what_came_back_in_part_the_rest_counts():
    found = tastes(lines((7, Kind.BOUGHT, 4, 0), (7, Kind.RETURNED, 1, 0)), MONTHLY)
    assert found.bought[0]
    assert found.frequency[0] == pytest.approx(0.75)


def test_a_line_without_a_quantity_was_still_bought():
    found = tastes(lines((7, Kind.BOUGHT, 0, 0)), MONTHLY)
    assert found.bought[0]
    assert found.frequency[0] == pytest.approx(1)


def test_looking_is_liking_a_little_and_is_not_buying():
    found = tastes(lines((7, Kind.VIEWED, 1, 0)), MONTHLY)
    assert found.affinity[0] == pytest.approx(KIND_WEIGHTS[Kind.VIEWED])
    assert not found.bought[0]


def test_taking_out_of_the_cart_never_makes_a_taste_negative():
    assert tastes(lines((7, Kind.REMOVED, 1, 0)), MONTHLY).affinity[0] == 0


def test_an_event_from_a_clock_that_is_ahead_counts_as_now():
    assert tastes(lines((7, Kind.BOUGHT, 1, -400)), MONTHLY).frequency[0] == pytest.approx(1)


ROWS = st.tuples(st.integers(0, 5), st.sampled_from(list(Kind)), st.floats(0, 9), st.floats(0, 400))


@given(st.lists(ROWS, max_size=30), st.randoms())
def test_the_order_of_the_lines_does_not_matter(rows, dice):
    shuffled = rows.copy()
    dice.shuffle(shuffled)
    one, two = tastes(lines(*rows), MONTHLY), tastes(lines(*shuffled), MONTHLY)
    assert one.keys.tolist() == two.keys.tolist()
    assert one.affinity == pytest.approx(two.affinity, abs=1e-5)
    assert one.bought.tolist() == two.bought.tolist()


def test_everybodys_tastes_are_the_tastes_of_each():
    mei, wang = lines((0, Kind.BOUGHT, 1, 9), (2, Kind.VIEWED, 1, 3)), lines((2, Kind.BOUGHT, 2, 1))
    together = tastes(
        Lines(
            np.concatenate([mei.keys, wang.keys + 3]),
            np.concatenate([mei.kinds, wang.kinds]),
            np.concatenate([mei.quantities, wang.quantities]),
            np.concatenate([mei.ages, wang.ages]),
        ),
        MONTHLY,
    )
    matrix = as_matrix(together.keys, together.affinity, people=2, items=3).toarray()
    for row, own in enumerate((mei, wang)):
        alone = tastes(own, MONTHLY)
        assert matrix[row, alone.keys] == pytest.approx(alone.affinity)
    assert np.count_nonzero(matrix) == 3


def test_the_tastes_of_many_at_once_are_those_of_each_alone():
    people = [
        lines((7, Kind.BOUGHT, 2, 3), (7, Kind.RETURNED, 1, 1), (2, Kind.VIEWED, 1, 0)),
        lines(),
        lines((7, Kind.BOUGHT, 1, 40), (900, Kind.ADDED, 1, 2)),
    ]
    for own, found in zip(people, tastes_of_many(people, MONTHLY), strict=True):
        alone = tastes(own, MONTHLY)
        for column in ("keys", "affinity", "frequency", "lately", "bought"):
            assert getattr(found, column).tolist() == getattr(alone, column).tolist()
