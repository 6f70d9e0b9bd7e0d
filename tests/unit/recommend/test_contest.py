"""The contest of models: figures by hand, no look at the test, and the right winner where it is known."""

import numpy as np
import pytest

from services.recommend.domain import contest
from services.recommend.domain.challengers.log import Log

DRAW = np.random.default_rng(1)


def circles(people=120, items=30):
    """Each person buys only things of their own half of the shop, one a visit."""
    halves = np.arange(items).reshape(2, -1)
    return Log.of(
        {one: [[int(k)] for k in DRAW.choice(halves[one % 2], 9, replace=False)] for one in range(people)}, items
    )


def test_figures_are_those_counted_by_hand():
    asked = contest.question_of(np.array([4, 4, 9]), np.array([0, 7, 3]))
    top = np.tile(np.arange(20), (2, 1))
    top[1] += 4  # the second person's item 3 is not among them
    found = contest.figures_of(top, asked, 40)
    assert found["recall@10"].tolist() == [1, 0]
    assert found["hr@20"].tolist() == [1, 0]
    assert found["ndcg@10"] == pytest.approx([(1 + 1 / np.log2(9)) / (1 + 1 / np.log2(3)), 0])


def test_tuning_never_sees_what_it_is_asked():
    log = circles()
    past, asked = contest.validation_part(log, seed=3)
    assert len(past) + len(asked.asked) == len(log)
    had = set(zip(past.people.tolist(), past.items.tolist(), strict=True))
    assert not had & set(zip(asked.asked.tolist(), asked.wanted.tolist(), strict=True))


def test_the_models_beat_popularity_where_people_have_tastes_and_no_one_gets_what_they_have():
    log = circles()
    last = log.since == 0
    test = contest.question_of(log.people[last], log.items[last])
    found = contest.run(log.only(~last), test, repeats=False)
    assert found.figures["blend"]["recall@10"] > found.figures["popular"]["recall@10"] + 0.2
    assert found.people == 120
    assert contest.as_document(found)["blend"]


def test_without_a_second_visit_there_is_nothing_to_tune_on():
    with pytest.raises(ValueError, match="nothing to tune on"):
        contest.validation_part(Log.of({0: [[1]], 1: [[2]]}, 3), seed=1)
