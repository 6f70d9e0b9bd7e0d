"""The blend is chosen on the shop's own data, and nothing of the future is seen while it is."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recommend.domain import recipes
from services.recommend.domain.catalogue import Catalogue, Change, Shown
from services.recommend.domain.fitting import fit
from services.recommend.domain.histories import History
from services.recommend.domain.interactions import Kind
from services.recommend.domain.parameters import AlsParameters, Blend, Parameters, Recipe, Weights
from services.recommend.domain.recipes import decide, surely_better
from services.recommend.domain.recommending import recommend
from services.recommend.domain.tastes import Lines
from services.recommend.domain.training import train
from services.recommend.domain.validation import (
    DISCOVER,
    REPEAT,
    choose_blend,
    figures,
    held_out,
    model_of,
    parted,
    people_of,
)
from services.recommend.domain.wishes import Visitor, Wish

SMALL = Parameters(als=AlsParameters(factors=4, iterations=3))


def history(rows, people, items):
    """(person, item, age in days) each, all bought."""
    person, item, age = (np.array(column) for column in zip(*rows, strict=True))
    size = len(person)
    lines = Lines(item.astype(np.int64), np.full(size, Kind.BOUGHT, np.int16), np.ones(size, "f4"), age.astype("f4"))
    return History(person.astype(np.int64), lines, people, items)


def catalogue(size):
    """So many items on sale, of which nothing is said."""
    shown = [Shown(str(key), str(key), (), None, None, None, None, None, {}) for key in range(size)]
    return Catalogue().changed([Change(key, one, on_sale=True, published=0.0) for key, one in enumerate(shown)], 1)


def creatures_of_habit(people=120, items=60, seed=1):
    """Each buys the same three things every week, and something else besides."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(people):
        habits = rng.choice(items, 3, replace=False)
        for week in range(20):
            rows += [(person, item, week * 7 + 1) for item in [*habits, rng.integers(items)]]
    return history(rows, people, items)


def judged(everything):
    """The blend found, and the figures of all people after the cut."""
    past, future, _ = held_out(everything)
    fitted = fit(past, SMALL)
    people = people_of(past, future, fitted)
    blend = choose_blend(people)
    return blend, figures(people, blend, fitted)


def test_a_shop_of_repeat_buys_is_foretold_by_what_is_due_again():
    blend, found = judged(creatures_of_habit())
    models = found["next_basket"]["models"]
    assert models["again"]["ndcg@10"] > models["popular"]["ndcg@10"] + 0.3
    assert models["blend"]["ndcg@10"] >= models["again"]["ndcg@10"] - 0.01
    assert 0 < models["blend"]["coverage@10"] <= 1
    assert models["popular"]["novelty@10"] < models["again"]["novelty@10"] + 10
    assert blend.repeat.popular <= 0.05


def test_weights_that_gain_nothing_are_not_taken():
    blend, _ = judged(creatures_of_habit())
    assert (blend.repeat.collaborative, blend.repeat.popular) == (0, 0)


def test_with_too_few_people_the_default_blend_stays():
    blend, found = judged(creatures_of_habit(people=20))
    assert blend == Blend()
    assert found == {}


def test_the_past_of_a_cut_knows_nothing_of_what_came_after():
    everything = creatures_of_habit()
    past = everything.before(14)
    assert len(past) + len(everything.since(14)) == len(everything)
    assert past.lines.ages.min() >= 0
    assert past.lines.ages.max() == pytest.approx(everything.lines.ages.max() - 14)


def test_some_of_the_people_keep_all_of_their_lines():
    everything = creatures_of_habit()
    some = everything.of_some(30)
    assert (some.person_count, len(some), some.people.max()) == (30, len(everything) // 4, 29)
    first, last = (everything.lines.keys[everything.people == person] for person in (0, 119))
    assert some.lines.keys[some.people == 0].tolist() == first.tolist()
    assert some.lines.keys[some.people == 29].tolist() == last.tolist()
    assert everything.of_some(120) is everything


def test_the_same_history_gives_the_same_model():
    first, second = train(creatures_of_habit(), SMALL), train(creatures_of_habit(), SMALL)
    assert np.array_equal(first.item_factors, second.item_factors)
    assert np.array_equal(first.popularity, second.popularity)
    assert (first.blend, first.figures) == (second.blend, second.figures)


@pytest.mark.parametrize("change", [{"regularization_strength": 0.5}, {"walk_alpha": 0.8, "walk_beta": 0.4}, {}])
def test_what_is_taken_from_an_earlier_fit_is_what_would_be_fitted(change):
    everything = creatures_of_habit()
    known, wanted = fit(everything, SMALL), fit(everything, replace(SMALL, **change))
    found = fit(everything, replace(SMALL, **change), known=known)
    assert np.array_equal(found.item_factors, wanted.item_factors)
    assert np.array_equal(found.person_factors, wanted.person_factors)
    assert np.array_equal(found.likeness.items, wanted.likeness.items)
    assert np.array_equal(found.likeness.weights, wanted.likeness.weights)
    assert found.parameters == wanted.parameters


def test_a_champion_that_shows_everybody_the_same_is_replaced_and_the_gain_is_told():
    everything = creatures_of_habit()
    blind = Recipe(SMALL, Blend(Weights(popular=1.0), Weights(popular=1.0)))
    verdict = decide(everything, None, SMALL, blind)
    assert verdict.evidence["beats_champion"]
    assert verdict.evidence["over_champion"]["next_basket"]["difference"] > 0.3
    assert verdict.chosen != blind
    assert verdict.beaten is None


def test_a_challenger_that_loses_is_told_with_its_figures(monkeypatch):
    everything = creatures_of_habit()
    blind = Recipe(SMALL, Blend(Weights(popular=1.0), Weights(popular=1.0)))
    champion = decide(everything, None, SMALL, None).chosen
    monkeypatch.setattr(recipes.validation, "choose_blend", lambda _people: blind.blend)
    verdict = decide(everything, None, SMALL, champion)
    assert (verdict.chosen, verdict.beaten.blend) == (champion, blind.blend)
    assert verdict.beaten_evidence["over_champion"]["next_basket"]["difference"] < -0.3
    assert not verdict.beaten_evidence["beats_champion"]


@pytest.mark.parametrize(
    ("gains", "better"),
    [
        ([], False),
        ([(0.02, 0.01)], True),
        ([(0.01, 0.01)], False),
        ([(0.2, 0.01), (-0.05, 0.01)], False),
        ([(0.2, 0.01), (-0.01, 0.01)], True),
    ],
)
def test_better_is_beyond_chance_and_worse_at_nothing(gains, better):
    assert surely_better([{"difference": gain, "standard_error": error} for gain, error in gains]) is better


@pytest.mark.parametrize("most_lines", [200_000, 2_000, 4_000])
def test_more_people_judge_a_recipe_than_it_was_tuned_on_however_few_lines_tuning_may_take(monkeypatch, most_lines):
    monkeypatch.setattr(recipes, "MOST_TUNED_LINES", most_lines)
    evidence = decide(creatures_of_habit(people=240), None, SMALL, None).evidence
    assert evidence["tuned_on"]["people"] + evidence["people"] == 240
    assert 50 <= evidence["tuned_on"]["people"] <= 80
    assert evidence["next_basket"]["people"] == evidence["people"]


@given(st.integers(1, 400), st.integers(1, 400))
def test_a_third_tunes_and_whoever_settings_are_tried_on_is_one_of_them_or_there_are_too_many(people, tried):
    sampled = np.unique(np.linspace(0, people - 1, min(tried, people)).astype(np.int64))
    found = recipes._tuners(sampled, people)
    assert len(np.unique(found)) == len(found) >= people // 3
    assert len(found) <= people // 3 + 1
    assert set(found.tolist()) <= set(range(people))
    if len(sampled) <= people // 3:
        assert set(sampled.tolist()) <= set(found.tolist())


@pytest.mark.parametrize("number", [1, 10, 50, 120, 200, 240])
def test_nobody_judges_what_was_tuned_on_them(number):
    everything = creatures_of_habit(people=240)
    past, future, _ = held_out(everything)
    people = people_of(past, future, fit(past, SMALL))
    tune, judge = parted(people, np.arange(number))
    assert len(tune) + len(judge) == 240
    assert {one.number for one in tune}.isdisjoint(one.number for one in judge)
    assert 50 <= len(tune) <= len(judge)
    if 50 <= number <= 120:
        assert {one.number for one in tune} == set(range(number))


def swings_of_fashion(people=150, weeks=16, seed=2):
    """Everybody has a taste for even or for odd items; which of these are newly taken changes weekly."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(people):
        for week in range(weeks):
            if rng.random() < 0.7:
                fashion = 2 * (weeks - week + rng.integers(0, 2))
                rows += [(person, fashion + person % 2, week * 7 + 1.0)]
    return history(rows, people, 2 * weeks + 4)


def test_the_power_of_the_trend_is_raised_where_fashions_change():
    recipe = decide(swings_of_fashion(), None, SMALL, None).chosen
    assert recipe.parameters.trend_power > SMALL.trend_power
    assert recipe.blend.discover.ease > 0.5


@pytest.mark.parametrize("power", [0.0, 0.25, 1.0])
def test_a_person_seen_with_another_power_of_the_trend_is_as_if_fitted_with_it(power):
    past, future, _ = held_out(swings_of_fashion())
    usual = fit(past, SMALL)
    changed = fit(past, replace(SMALL, trend_power=power), known=usual)
    wanted = {one.number: one for one in people_of(past, future, changed)}
    factors = usual.trend ** np.float32(power - SMALL.trend_power)
    for one in people_of(past, future, usual):
        found, other = one.changed("ease", factors), wanted[one.number]
        assert np.array_equal(found.keys, other.keys)
        assert found.parts["ease"] == pytest.approx(other.parts["ease"], abs=1e-5)


def test_what_the_parts_of_a_person_add_up_to_is_what_is_served():
    everything = swings_of_fashion()
    past, future, _ = held_out(everything)
    fitted = fit(past, SMALL)
    each = {"ease": 1.0, "neighbours": 0.3, "firsts": 0.2, "popular": 0.1}
    blend = Blend(Weights(again=1.0, **each), Weights(**each))
    model = model_of(fitted, blend)
    for one in people_of(past, future, fitted)[::10]:
        own = Visitor(past.lines.some(past.people == one.number))
        for purpose, weights in ((REPEAT, blend.repeat), (DISCOVER, blend.discover)):
            shown = recommend(model, catalogue(past.item_count), own, Wish(5, exclude_seen=not purpose.repeats))
            assert shown.keys.tolist() == one.ranked(weights, purpose)[:5]
