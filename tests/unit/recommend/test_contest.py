"""The contest of models: figures by hand, no look at the test, and the right winner where it is known."""

import numpy as np
import pytest

from services.recommend.domain import contest, questions
from services.recommend.domain.blending import choose, lesson_of, pools
from services.recommend.domain.challengers import ease, factors, neighbours, similarities, tifu
from services.recommend.domain.challengers.log import Log
from services.recommend.domain.questions import Question
from services.recommend.domain.ranking import best_of_rows
from services.recommend.domain.stacking import Facts

DRAW = np.random.default_rng(1)


def circles(people=120, items=30):
    """Each person buys only things of their own half of the shop, one a visit."""
    halves = np.arange(items).reshape(2, -1)
    return Log.of(
        {one: [[int(k)] for k in DRAW.choice(halves[one % 2], 9, replace=False)] for one in range(people)}, items
    )


def test_figures_are_those_counted_by_hand():
    asked = Question.of(np.array([4, 4, 9]), np.array([0, 7, 3]))
    top = np.tile(np.arange(20), (2, 1))
    top[1] += 4  # the second person's item 3 is not among them
    found = questions.figures_of(top, asked)
    assert found["recall@10"].tolist() == [1, 0]
    assert found["hr@20"].tolist() == [1, 0]
    assert found["ndcg@10"] == pytest.approx([(1 + 1 / np.log2(9)) / (1 + 1 / np.log2(3)), 0])


def test_tuning_never_sees_what_it_is_asked():
    log = circles()
    past, trial = contest.trial_of(log, Question.of(log.people[:1], log.items[:1]), repeats=False, seed=3)
    asked = trial.held_out
    assert len(past) + len(asked) == len(log)
    had = set(zip(past.people.tolist(), past.items.tolist(), strict=True))
    assert not had & set(zip(asked.asked.tolist(), asked.wanted.tolist(), strict=True))


def test_the_models_beat_popularity_where_people_have_tastes_and_no_one_gets_what_they_have():
    log = circles()
    last = log.since == 0
    learned, test = log.only(~last), Question.of(log.people[last], log.items[last])
    past, trial = contest.trial_of(learned, test, repeats=False)
    found = contest.run(learned, past, {"": trial})[""]
    assert found.figures["blend"]["recall@10"] > found.figures["popular"]["recall@10"] + 0.2
    assert found.people == 120
    assert contest.as_document(found)["blend"]
    had = set(zip(learned.people.tolist(), learned.items.tolist(), strict=True))
    for top in found.tops.values():
        shown = set(zip(np.repeat(test.people, 10).tolist(), top[:, :10].ravel().tolist(), strict=True))
        assert not had & shown


def test_a_model_that_adds_only_noise_is_not_blended_in():
    log = circles()
    last = log.since == 0
    past, asked = log.only(~last), Question.of(log.people[last], log.items[last])

    class Noise:
        def scores(self, people):
            return DRAW.random((len(people), 30), dtype=np.float32)

    models = {"ease": ease.fit(past), "noise": Noise()}
    blend = choose(models, {"ease": 0.4, "noise": 0.3}, past, asked, repeats=False)
    assert dict(blend.weights) == {"ease": 1.0}


def test_without_a_second_visit_there_is_nothing_to_tune_on():
    once = Log.of({0: [[1]], 1: [[2]]}, 3)
    with pytest.raises(ValueError, match="nothing to tune on"):
        contest.trial_of(once, Question.of(np.array([0]), np.array([2])), repeats=False)


def test_ease_gives_the_same_scores_from_a_system_of_people_as_from_one_of_items():
    log = circles(people=40, items=60)
    everyone = np.arange(40)
    by_people = ease.fit(log, regularization=20.0)
    few = log.matrix()
    items = np.arange(60)
    by_items = ease.Primal(few, ease.weights_of(few, 20.0), items)
    assert isinstance(by_people, ease.Dual)
    assert by_people.scores(everyone) == pytest.approx(by_items.scores(everyone), abs=2e-4)


def test_what_was_taken_so_long_ago_that_it_counts_nothing_does_not_disturb_the_scores():
    log = circles(people=40, items=60)
    found = ease.fit(log, regularization=20.0, decay=1e-30).scores(np.arange(40))
    assert np.isfinite(found).all()


def test_alternating_least_squares_ends_where_every_person_is_solved_exactly():
    log = circles()
    found = factors.fit(log, factors=6, unobserved=0.1, strength=0.02)
    items = found.items.astype(np.float64)
    for person in (0, 7, 119):
        own = items[log.items[log.people == person]]
        left = own.T @ own + 0.1 * items.T @ items + 0.02 * (len(own) + 0.1 * 30) * np.eye(6)
        assert found.people[person] == pytest.approx(np.linalg.solve(left, own.sum(axis=0)), abs=1e-4)


def test_neighbours_are_other_people_and_not_all_of_a_crowd(monkeypatch):
    log = circles()
    monkeypatch.setattr(tifu, "_MOST_NEIGHBOURS", 30)
    model = tifu.fit(log, neighbours=10, share=0.0)
    assert len(model.among) == 30
    own_half = model.scores(np.arange(120)) > 0
    assert all(not own_half[person, 15 * (1 - person % 2) : 15 * (2 - person % 2)].any() for person in range(120))


@pytest.mark.parametrize("items", [7, 700, 5000])
def test_the_best_of_each_row_are_those_of_a_full_sort(items):
    scores = DRAW.random((9, items), dtype=np.float32)
    scores[3] = -np.inf
    scores[4, : items // 2] = 0.5
    n = min(20, items)
    found = np.take_along_axis(scores, best_of_rows(scores, 20), axis=1)
    assert np.array_equal(found, -np.sort(-scores, axis=1)[:, :n])


def test_trees_learn_whom_to_believe_and_are_taken_where_a_sum_cannot_say_it():
    """One model is right for people of few items, the other for those of many."""
    draw = np.random.default_rng(5)
    people, items = 900, 120
    many = np.arange(people) // 2 % 2 == 0
    wanted = draw.integers(60, items, people)
    log = Log.of({one: [[int(k)] for k in draw.choice(60, 20 if many[one] else 3)] for one in range(people)}, items)

    class Right:
        def __init__(self, which):
            self.which = which

        def scores(self, some):
            found = np.random.default_rng(some.sum()).random((len(some), items), dtype=np.float32)
            sure = self.which[some]
            found[np.flatnonzero(sure), wanted[some[sure]]] = 1.5
            found[~sure] *= 3
            return found

    models = {"few": Right(~many), "many": Right(many)}
    asked = Question.of(np.arange(people), wanted)
    blend = choose(models, {"few": 0.5, "many": 0.5}, log, asked, repeats=False)
    assert blend.learned is not None
    facts = Facts.of(log)
    (_, pool), *_ = pools(models, log, asked.people[:40], repeats=False, pooled=["few", "many"])
    assert (blend.best(pool, facts)[:, 0] == wanted[:40]).mean() > 0.8


def test_what_has_not_begun_when_time_is_over_is_left_out_and_named():
    log = circles()
    past, trial = contest.trial_of(log, Question.of(log.people[:1], np.array([29])), repeats=False)
    ticks = iter(range(10_000))
    found = contest.run(log, past, {"": trial}, contest.Limit(30, lambda: float(next(ticks))))[""]
    assert found.left_out
    assert {entry.name for entry in found.entries}.isdisjoint(found.left_out)
    assert {"popular", "ease"} <= {entry.name for entry in found.entries}


def test_neighbours_are_the_same_found_densely_and_sparsely(monkeypatch):
    log = circles()
    again = log.only(np.ones(len(log), dtype=bool))  # nothing of it fitted yet
    dense = neighbours.fit(log, keep=5).likeness.toarray()
    monkeypatch.setattr(similarities, "_DENSE", 2.0)
    sparse = neighbours.fit(again, keep=5).likeness.toarray()
    assert np.sort(sparse, axis=1) == pytest.approx(np.sort(dense, axis=1))  # of equals either may be kept


def test_trees_learn_from_earlier_times_what_one_time_is_too_short_to_show():
    """Of every person the last visit is asked, and of the earlier times those before it."""
    draw = np.random.default_rng(8)
    halves = np.arange(60).reshape(2, -1)
    log = Log.of({one: [[int(k)] for k in draw.choice(halves[one % 2], 12, replace=False)] for one in range(400)}, 60)
    times = [(log.only(log.since > ago), log.since == ago) for ago in range(4)]
    asked = [Question.of(log.people[last], log.items[last]) for _, last in times]
    trial = contest.Trial(asked[1], asked[0], False, (asked[2], asked[3]))
    ticks = iter(range(10_000))
    limit = contest.Limit(8, lambda: float(next(ticks)))  # some families are enough
    found = contest.run(times[0][0], times[1][0], {"": trial}, limit, earlier=(times[2][0], times[3][0]))[""]
    best = max(figures["recall@20"] for name, figures in found.figures.items() if name != "blend")
    assert found.figures["blend"]["recall@20"] >= best - 0.05
    models = {"ease": ease.fit(times[2][0]), "neighbours": neighbours.fit(times[2][0])}
    lesson = lesson_of(models, ["ease", "neighbours"], times[2][0], asked[2], repeats=False)
    own = lesson.of(1)
    assert lesson.hits.sum() == 400  # everybody's one item is among the candidates, and nobody has two
    assert set((own.people % 2).tolist()) == {1}
    assert len(own.table) == len(own.hits) == len(own.people)
