"""Places for what is promoted and for what hardly anybody has seen: no rule yields, and the lots are known."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recommend.domain.arranging import arrange
from services.recommend.domain.mixing import explore, places_of, spread
from services.recommend.domain.plans import Exclusions, Exploration, Plan, Promotion, Quota
from services.recommend.domain.strategies import Strategy
from services.recommend.domain.wishes import Reason, Wish
from tests.unit.recommend.reference import ROWS, Row, allowed, groups, shop, someone
from tests.unit.recommend.test_arranging import DEEDS, MODELS, PLANS, WISHES, of_the_catalogue

SETS = st.lists(st.integers(0, 13), max_size=8, unique=True)
SHARES = st.sampled_from([0.1, 0.25, 0.5, 1.0])


def keys(found, rows):
    return np.array([key for key in sorted(found) if key < len(rows)], dtype=np.int64)


PROMOTIONS = st.lists(st.tuples(SHARES, SETS), max_size=2)
EXPLORATIONS = st.tuples(SHARES, SETS, st.integers(0, 9))


@given(ROWS, MODELS, DEEDS, WISHES, PLANS, PROMOTIONS, EXPLORATIONS)
def test_neither_promotion_nor_exploration_breaks_a_rule(rows, model, deeds, wish, plan, promotions, exploration):
    share, pool, seed = exploration
    wish = of_the_catalogue(rows, wish)
    promoting = tuple(Promotion(f"p{place}", one, keys(some, rows)) for place, (one, some) in enumerate(promotions))
    mixed = replace(plan, promotions=promoting, exploration=Exploration(share, keys(pool, rows), seed))
    answer = arrange(model, shop(rows), someone(deeds), wish, mixed)
    shown, may = answer.keys.tolist(), allowed(rows, deeds, wish, plan)
    assert set(shown) <= may
    assert len(shown) == len(set(shown)) == len(answer.reasons) == len(answer.whys)
    assert (answer.shortfall is None) == (len(shown) == wish.n)
    for number, quota in enumerate(plan.quotas):
        taken = [group for key in shown for group in groups(rows[key], plan.quotas) if group[0] == number]
        assert all(taken.count(group) <= quota.most for group in taken)
    without = arrange(model, shop(rows), someone(deeds), wish, replace(plan, promotions=promoting))
    assert len(without.keys) == len(shown)
    assert set(answer.explored) <= set(pool) - set(without.keys.tolist())
    assert set(answer.promoted) == set(without.promoted) <= set(shown)
    for one in promoting:
        own = [key for key, name in answer.promoted.items() if name == one.name]
        assert set(own) <= set(one.keys.tolist())
        assert len(own) <= places_of(one.share, wish.n)


def plain(count, **more):
    return [Row(days=number, **more) for number in range(count)]


NEWEST = Plan((Strategy.NEW_ARRIVALS,), Exclusions())


def test_promoted_items_have_their_share_of_the_places_evenly():
    rows = plain(14)
    first = arrange(None, shop(rows), someone([]), Wish(8), NEWEST).keys.tolist()
    rest = [key for key in range(14) if key not in first]
    plan = replace(NEWEST, promotions=(Promotion("spring", 0.25, np.array(rest)),))
    answer = arrange(None, shop(rows), someone([]), Wish(8), plan)
    places = [place for place, key in enumerate(answer.keys.tolist()) if key in answer.promoted]
    assert places == [2, 6]
    others = [key for key in answer.keys.tolist() if key not in answer.promoted]
    assert others == first[:6]


@given(st.integers(0, 12), st.integers(1, 12), st.sets(st.integers(1, 12)))
def test_places_are_spread_over_what_is_free_each_once(count, n, taken):
    found = spread(count, n, taken)
    free = [place for place in range(1, n + 1) if place not in taken]
    assert len(found) == len(set(found)) == min(count, len(free))
    assert set(found) <= set(free)
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("share", "n", "pool"), [(0.2, 10, 7), (0.05, 10, 7), (0.15, 10, 3), (0.2, 4, 1), (0.2, 12, 2)]
)
def test_each_item_of_the_pool_is_explored_with_the_probability_that_is_told(share, n, pool):
    items, places, counts, told = np.arange(100, 100 + pool), Counter(), Counter(), set()
    for seed in range(6_000):
        found = explore(n, list(range(n)), items, share, n, np.random.default_rng(seed))
        if found is not None:
            counts.update(found.items.values())
            places.update(found.items)
            told.add(found.propensity)
    (propensity,) = told
    for item in items.tolist():
        assert counts[item] / 6_000 == pytest.approx(propensity, abs=4 * (propensity * (1 - propensity) / 6_000) ** 0.5)
    assert len(places) == n
    if pool > share * n + 1:
        assert propensity == pytest.approx(share * n / pool)


def test_what_is_left_out_for_exploring_is_the_last_by_score():
    rows = plain(14)
    catalogue, wish = shop(rows), Wish(10)
    first = arrange(None, catalogue, someone([]), wish, NEWEST).keys.tolist()
    pool = np.array([key for key in range(14) if key not in first])
    for seed in range(30):
        plan = replace(NEWEST, exploration=Exploration(0.2, pool, seed))
        answer = arrange(None, catalogue, someone([]), wish, plan)
        kept = [key for key in answer.keys.tolist() if key not in answer.explored]
        assert kept == first[:8]
        assert {answer.reasons[place] for place, key in enumerate(answer.keys.tolist()) if key in answer.explored} == {
            Reason.NEW
        }


def test_with_quotas_every_item_that_fits_has_the_same_probability():
    rows = [*plain(10, brand="full"), *plain(4, brand="free")]
    catalogue, wish = shop(rows), Wish(6)
    plan = replace(NEWEST, quotas=(Quota("brand", 3),))
    base = set(arrange(None, catalogue, someone([]), wish, plan).keys.tolist())
    pool = np.array([key for key in range(14) if key not in base])
    counts, told = Counter(), set()
    for seed in range(1_500):
        answer = arrange(None, catalogue, someone([]), wish, replace(plan, exploration=Exploration(0.1, pool, seed)))
        counts.update(answer.explored.keys())
        told |= set(answer.explored.values())
        brands = Counter(rows[key].brand for key in answer.keys.tolist())
        assert max(brands.values()) <= 3
    (propensity,) = told
    assert all(count / 1_500 == pytest.approx(propensity, abs=0.04) for count in counts.values())


def test_nothing_new_is_explored_where_nothing_new_may_be_shown():
    rows = plain(6)
    plan = replace(NEWEST, exploration=Exploration(0.2, np.array([2, 3]), 1))
    answer = arrange(None, shop(rows), someone([]), Wish(5, exclude=[2, 3]), plan)
    assert answer.explored == {}
    assert len(answer.keys) == 4
