"""What is due: learned where it is known."""

import numpy as np
import pytest

from services.recommend.domain.challengers import rhythm
from services.recommend.domain.challengers.log import Log


def every_other_visit(people=60, visits=10):
    """Everybody takes item 0 each time, and 1 and 2 in turn: people with an even number begin with 1."""
    turns = {one: [[0, 1 + (one + number) % 2] for number in range(visits)] for one in range(people)}
    return Log.of(turns, 4)


def test_what_is_taken_each_time_is_foretold_and_what_is_due_and_not_what_was_there_just_now():
    scores = rhythm.fit(every_other_visit()).scores(np.array([0, 1]))
    assert (scores > 0.9).tolist() == [[True, True, False, False], [True, False, True, False]]
    assert (scores[0, 2], scores[1, 1]) < (0.1, 0.1)
    assert scores[:, 3].tolist() == [0, 0]


def test_the_part_of_a_log_that_is_looked_at_at_a_time_changes_nothing(monkeypatch):
    log = every_other_visit()
    whole = rhythm.fit(log).chances.toarray()
    monkeypatch.setattr(rhythm, "_LINES_A_TIME", 50)
    assert rhythm.fit(log).chances.toarray() == pytest.approx(whole)


def test_where_nothing_ever_comes_again_frequency_counts():
    log = Log.of({one: [[one], [one + 10]] for one in range(10)}, 20)
    assert rhythm.fit(log).scores(np.array([3])).nonzero()[1].tolist() == [3, 13]


def test_nothing_after_the_visit_that_is_foretold_is_seen():
    log = every_other_visit()
    past, asked, wanted = rhythm._before(log, 1, np.arange(60))
    assert past.visits.max() == 7
    assert asked.all()
    assert len(wanted) == 120
