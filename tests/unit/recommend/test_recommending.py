"""What is shown to whom: no rule is ever broken, whatever the catalogue, the history and the wish."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recommend.domain import sessions
from services.recommend.domain.again import FIGURES, Again
from services.recommend.domain.catalogue import Catalogue, Change, Shown
from services.recommend.domain.filters import Filter, PriceRange
from services.recommend.domain.histories import History
from services.recommend.domain.interactions import Kind
from services.recommend.domain.kinds import Kinds
from services.recommend.domain.likeness import Likeness
from services.recommend.domain.model import Model
from services.recommend.domain.parameters import AlsParameters, Blend, Parameters, Weights
from services.recommend.domain.recommending import recommend, recommend_many, similar
from services.recommend.domain.tastes import EMPTY, Lines
from services.recommend.domain.wishes import Reason, Strategy, Visitor, Wish

PARTS = ("keys", "kinds", "quantities", "ages")
EACH = {"ease": 0.4, "collaborative": 0.5, "neighbours": 0.3, "kinds": 0.2, "firsts": 0.1, "popular": 0.1}
ALL_PARTS = Blend(Weights(again=1, **EACH), Weights(**EACH))
CATEGORIES = [("Tea",), ("Tea", "Green"), ("Ware",), ()]
BRANDS = ["Hill", "Yun", None]
COLOURS = ["red", "blue", None]


def shop(rows):
    """A catalogue of (category, brand, price, on sale, colour) rows."""
    changes = []
    for key, (category, brand, price, on_sale, colour) in enumerate(rows):
        attributes = {} if colour is None else {"colour": colour}
        shown = Shown(
            f"item-{key}", "x", category, brand, price, None if price is None else "CNY", None, None, attributes
        )
        changes.append(Change(key, shown, on_sale, float(key)))
    return Catalogue().changed(changes, 1)


def trained(size, seed=0, blend=None, factors=4):
    rng = np.random.default_rng(seed)
    popularity = rng.random(size, dtype=np.float32)
    als = AlsParameters(factors=factors, regularization=0.1)
    as_of = datetime(2026, 5, 20, tzinfo=UTC)
    items = rng.normal(scale=0.5, size=(size, factors)).astype(np.float32)
    made = Model("m", as_of, items, popularity, Parameters(als=als), blend or ALL_PARTS)
    viewed, ages = np.full(60, Kind.VIEWED, dtype=np.int16), rng.random(60, dtype=np.float32) / 9
    visits = Lines(rng.integers(0, size, 60), viewed, np.ones(60, dtype=np.float32), ages)
    return replace(
        made,
        likeness=Likeness(rng.integers(0, size, (size, 3)).astype(np.int32), rng.random((size, 3), dtype=np.float32)),
        ease=Likeness(rng.integers(0, size, (size, 2)).astype(np.int32), rng.random((size, 2), dtype=np.float32)),
        fresh=rng.random(size, dtype=np.float32),
        again=Again(rng.normal(size=FIGURES).astype(np.float32), rng.random(size, dtype=np.float32)),
        kinds=Kinds.of(rng.integers(0, 3, (2, size)).astype(np.int32), popularity),
        sessions=sessions.learn(History(np.sort(rng.integers(0, 9, 60)), visits, 9, size)),
    )


def did(*deeds):
    """Someone who did these things: (item key, kind) each."""
    lines = EMPTY
    for key, kind in deeds:
        lines = lines + Lines.of([key], kind)
    return Visitor(lines)


ROWS = st.lists(
    st.tuples(
        st.sampled_from(CATEGORIES),
        st.sampled_from(BRANDS),
        st.none() | st.integers(0, 100),
        st.booleans(),
        st.sampled_from(COLOURS),
    ),
    max_size=40,
)
FILTERS = st.builds(
    Filter,
    categories=st.lists(st.sampled_from([("Tea",), ("Green",), ("Tea", "Green"), ("Shoes",)]), max_size=2).map(tuple),
    brands=st.lists(st.sampled_from(["Hill", "Yun", "Nobody"]), max_size=2).map(tuple),
    price=st.none() | st.builds(PriceRange, st.just("CNY"), st.integers(0, 50), st.integers(50, 100)),
    attributes=st.just(()) | st.just((("colour", ("red",)),)),
)
WISHES = st.builds(
    Wish,
    n=st.integers(1, 30),
    exclude_seen=st.booleans(),
    exclude=st.lists(st.integers(0, 39), max_size=5),
    only=FILTERS,
    looked_at=st.none() | st.integers(0, 39),
    cart=st.lists(st.integers(0, 39), max_size=3),
    near=st.none() | st.sampled_from([("Tea",), ("Ware",)]),
)
HISTORIES = st.lists(st.tuples(st.integers(0, 45), st.sampled_from(list(Kind))), max_size=15)


def may_be_shown(rows, wish, history, key):
    """The rules once more, item by item, as a person would check them."""
    category, brand, price, on_sale, colour = rows[key]
    only = wish.only
    bought = sum(k == Kind.BOUGHT for item, k in history if item == key)
    returned = sum(k == Kind.RETURNED for item, k in history if item == key)
    return (
        on_sale
        and key not in wish.exclude
        and key not in wish.cart
        and key != wish.looked_at
        and not (wish.exclude_seen and bought > returned)
        and (
            not only.categories or any(c[0] in category if len(c) == 1 else category[:2] == c for c in only.categories)
        )
        and (not only.brands or brand in only.brands)
        and (only.price is None or (price is not None and only.price.lowest <= price <= only.price.highest))
        and (not only.attributes or colour == "red")
    )


@given(ROWS, WISHES, HISTORIES, st.none() | st.integers(1, 50))
def test_no_rule_is_ever_broken_and_n_is_met_or_explained(rows, wish, history, model_size):
    catalogue = shop(rows)
    model = None if model_size is None else trained(model_size)
    answer = recommend(model, catalogue, did(*history), wish)
    shown = answer.keys.tolist()
    allowed = {key for key in range(len(rows)) if may_be_shown(rows, wish, history, key)}
    assert set(shown) <= allowed
    assert len(shown) == len(set(shown)) == len(answer.reasons) == len(answer.scores)
    assert len(shown) == min(wish.n, len(allowed))
    assert np.isfinite(answer.scores).all()
    assert (answer.shortfall is None) == (len(shown) == wish.n)
    if answer.shortfall is not None:
        assert answer.shortfall.returned == len(shown)
        assert answer.shortfall.match_filter >= len(shown)


@given(ROWS, WISHES, st.lists(HISTORIES, min_size=2, max_size=70), st.none() | st.integers(1, 50))
def test_many_at_once_get_what_each_gets_alone(rows, wish, histories, model_size):
    catalogue = shop(rows)
    model = None if model_size is None else trained(model_size)
    people = [did(*history) for history in histories]
    for history, answer in zip(people, recommend_many(model, catalogue, people, wish), strict=True):
        alone = recommend(model, catalogue, history, wish)
        assert answer.keys.tolist() == alone.keys.tolist()
        assert (answer.strategy, answer.reasons, answer.shortfall) == (alone.strategy, alone.reasons, alone.shortfall)


@given(ROWS.filter(bool), st.integers(1, 10), st.integers(1, 50))
def test_similar_items_are_others_that_are_on_sale(rows, n, model_size):
    catalogue = shop(rows)
    answer = similar(trained(model_size), catalogue, 0, n)
    on_sale = {key for key, row in enumerate(rows) if row[3] and key != 0}
    assert set(answer.keys.tolist()) <= on_sale
    assert len(answer.keys) == min(n, len(on_sale))
    assert (answer.shortfall is None) == (len(answer.keys) == n)


PLAIN = [((), None, 1, True, None)] * 6
# Items 0-2 and 3-5 are two circles; 5 is by far the most popular.
CIRCLES = Model(
    "m",
    datetime(2026, 5, 20, tzinfo=UTC),
    np.array([[1, 0], [0.9, 0], [0.8, 0], [0, 1], [0, 0.9], [0, 0.8]], dtype=np.float32),
    np.array([0.1, 0.1, 0.1, 0.1, 0.2, 1], dtype=np.float32),
    Parameters(als=AlsParameters(factors=2, regularization=0.1)),
    Blend(Weights(again=1, collaborative=0.3, popular=0.05), Weights(collaborative=1, popular=0.1)),
)


def test_a_known_customer_gets_what_their_circle_likes():
    answer = recommend(CIRCLES, shop(PLAIN), did((0, Kind.BOUGHT)), Wish(2))
    assert answer.strategy is Strategy.FOR_YOU
    assert answer.keys.tolist() == [1, 2]
    assert answer.reasons == [Reason.FOR_YOU, Reason.FOR_YOU]


# 0 leads to 4 and 3 leads to 1, against the circles; everybody else newly takes 2.
LEADS = replace(
    CIRCLES,
    blend=Blend(Weights(again=1, ease=0.5), Weights(ease=1, popular=0.1)),
    ease=Likeness(
        np.array([[4], [0], [0], [1], [0], [0]], np.int32), np.array([[0.2], [0], [0], [0.9], [0], [0]], "f4")
    ),
    fresh=np.array([0, 0, 1, 0, 0, 0], dtype=np.float32),
)


def test_what_ones_things_lead_to_comes_first_and_is_told_as_ones_own():
    answer = recommend(LEADS, shop(PLAIN), did((0, Kind.VIEWED)), Wish(2))
    assert answer.strategy is Strategy.FOR_YOU
    assert answer.keys.tolist() == [4, 5]
    assert answer.reasons == [Reason.FOR_YOU, Reason.POPULAR]


def test_a_thing_seen_a_moment_ago_leads_on_at_once_and_takes_its_part():
    history = did((0, Kind.BOUGHT), (3, Kind.BOUGHT))
    answer = recommend(LEADS, shop(PLAIN), history, Wish(3))
    assert answer.keys.tolist() == [1, 4, 5]  # 0.9 and 0.2


def test_what_leads_on_is_shown_only_where_it_may_be():
    rows = [((), "Hill" if key == 4 else None, 1, key != 1, None) for key in range(6)]
    history = did((0, Kind.BOUGHT), (3, Kind.BOUGHT))
    assert recommend(LEADS, shop(rows), history, Wish(6)).keys.tolist() == [4, 5, 2]  # 1 is off sale
    excluded = recommend(LEADS, shop(rows), history, Wish(6, exclude=[4]))
    assert excluded.keys.tolist() == [5, 2]
    filtered = recommend(LEADS, shop(rows), history, Wish(6, only=Filter(brands=("Hill",))))
    assert filtered.keys.tolist() == [4]
    assert recommend(LEADS, shop(rows[:4]), history, Wish(6)).keys.tolist() == [2]  # a smaller catalogue


def test_the_moment_leads_as_far_as_all_the_history():
    plain = replace(LEADS, blend=Blend(Weights(ease=1), Weights(ease=1)), item_factors=LEADS.item_factors * 0)
    history = did(*((3, Kind.BOUGHT),) * 5)
    assert recommend(plain, shop(PLAIN), Visitor(), Wish(1, cart=[0])).keys.tolist() == [4]
    weights = recommend(plain, shop(PLAIN), history, Wish(2, cart=[0])).scores
    assert weights[1] / weights[0] == pytest.approx(0.2 / 0.9, rel=1e-2)


def test_what_is_looked_at_counts_also_where_factors_gain_nothing():
    model = replace(CIRCLES, blend=Blend(Weights(again=1, popular=0.05), Weights(popular=0.05)))
    answer = recommend(model, shop(PLAIN), Visitor(), Wish(2, looked_at=0))
    assert answer.keys.tolist() == [1, 2]
    assert answer.reasons == [Reason.SIMILAR, Reason.SIMILAR]


def test_what_others_newly_take_is_told_as_popular():
    model = replace(LEADS, blend=Blend(Weights(again=1, firsts=0.2), Weights(ease=0.1, firsts=2, popular=1)))
    answer = recommend(model, shop(PLAIN), did((0, Kind.VIEWED)), Wish(2))
    assert answer.keys.tolist() == [2, 5]
    assert answer.reasons == [Reason.POPULAR, Reason.POPULAR]
    again = recommend(model, shop(PLAIN), did((0, Kind.BOUGHT)), Wish(2, exclude_seen=False))
    assert again.keys.tolist() == [0, 2]
    assert again.reasons == [Reason.BUY_AGAIN, Reason.POPULAR]


def test_a_part_that_weighs_nothing_is_not_computed():
    broken = Likeness(np.empty((0, 0), np.int32), np.empty((0, 0), np.int32))  # to compute it would be an error
    model = replace(trained(6), ease=broken, likeness=broken, kinds=broken, again=broken)
    blend = Blend(Weights(collaborative=1), Weights(popular=1))
    for exclude_seen in (True, False):
        wish = Wish(3, exclude_seen=exclude_seen)
        answer = recommend(replace(model, blend=blend), shop(PLAIN), did((0, Kind.BOUGHT)), wish)
        assert len(answer.keys) == 3


def test_a_newcomer_gets_what_is_popular():
    answer = recommend(CIRCLES, shop(PLAIN), Visitor(), Wish(2))
    assert answer.strategy is Strategy.POPULAR
    assert answer.keys.tolist() == [5, 4]
    assert answer.reasons == [Reason.POPULAR, Reason.POPULAR]


def test_a_newcomer_gets_what_is_popular_also_where_popularity_gains_nothing_for_the_others():
    model = replace(CIRCLES, blend=Blend(Weights(again=1), Weights(collaborative=1)))
    for exclude_seen in (True, False):
        answer = recommend(model, shop(PLAIN), Visitor(), Wish(2, exclude_seen=exclude_seen))
        assert answer.keys.tolist() == [5, 4]


def test_a_newcomer_gets_what_is_popular_in_their_country():
    at_home = np.array([0, 0, 1, 0.5, 0, 0], dtype=np.float32)
    model = replace(CIRCLES, popularity_by_country={"CN": at_home})
    assert recommend(model, shop(PLAIN), Visitor(country="CN"), Wish(2)).keys.tolist() == [2, 3]
    assert recommend(model, shop(PLAIN), Visitor(country="NZ"), Wish(2)).keys.tolist() == [5, 4]


def test_where_repeats_are_wanted_what_is_bought_often_comes_first():
    history = did((3, Kind.BOUGHT), (3, Kind.BOUGHT), (4, Kind.BOUGHT))
    answer = recommend(CIRCLES, shop(PLAIN), history, Wish(3, exclude_seen=False))
    assert answer.keys.tolist() == [3, 4, 5]
    assert answer.reasons[:2] == [Reason.BUY_AGAIN, Reason.BUY_AGAIN]


def test_the_cart_of_a_stranger_decides():
    answer = recommend(CIRCLES, shop(PLAIN), Visitor(), Wish(2, cart=[0]))
    assert answer.strategy is Strategy.SESSION
    assert answer.keys.tolist() == [1, 2]
    assert answer.reasons == [Reason.FITS_CART, Reason.FITS_CART]


def test_the_item_being_looked_at_pulls_a_known_customer_to_its_like():
    history = did((0, Kind.BOUGHT))
    answer = recommend(CIRCLES, shop(PLAIN), history, Wish(2, looked_at=3))
    assert set(answer.keys.tolist()) & {4, 5}
    assert answer.reasons[0] is Reason.SIMILAR


def test_what_was_returned_may_be_shown_again():
    answer = recommend(CIRCLES, shop(PLAIN), did((1, Kind.BOUGHT), (1, Kind.RETURNED)), Wish(6))
    assert 1 in answer.keys.tolist()


def test_items_of_the_pages_category_come_first_and_others_fill_up():
    rows = [(("Tea",) if key in (0, 3) else (), None, 1, True, None) for key in range(6)]
    answer = recommend(CIRCLES, shop(rows), Visitor(), Wish(3, near=("Tea",)))
    assert set(answer.keys[:2].tolist()) == {0, 3}
    assert answer.keys[2] == 5
    assert answer.scores.max() <= 1


def test_a_history_the_model_knows_nothing_of_is_an_empty_one():
    newer = [*PLAIN, ((), None, 1, True, None)]
    answer = recommend(CIRCLES, shop(newer), did((6, Kind.BOUGHT)), Wish(1))
    assert answer.strategy is Strategy.POPULAR
    assert answer.keys.tolist() == [5]


def test_before_the_first_model_the_newest_items_are_shown():
    answer = recommend(None, shop(PLAIN), Visitor(), Wish(2))
    assert answer.strategy is Strategy.NEW_ARRIVALS
    assert answer.keys.tolist() == [5, 4]


def test_a_shortfall_names_the_rule_that_left_too_few():
    rows = [(("Tea",), None, 1, key != 0, None) for key in range(4)] + [((), None, 1, True, None)]
    cases = {
        "catalogue_too_small": Wish(9),
        "too_few_available": Wish(5),
        "too_few_match_filter": Wish(4, only=Filter(categories=(("Tea",),))),
        "too_few_not_excluded": Wish(4, exclude=[1]),
    }
    for reason, wish in cases.items():
        shortfall = recommend(CIRCLES, shop(rows), Visitor(), wish).shortfall
        assert shortfall is not None
        assert shortfall.reason == reason


def test_the_nearest_of_an_item_is_of_its_circle():
    assert similar(CIRCLES, shop(PLAIN), 3, 2).keys.tolist() == [4, 5]


def test_an_item_nobody_touched_is_likened_by_its_category():
    rows = [((), None, 1, True, None)] * 6 + [(("Tea",), None, 1, True, None)] * 2
    assert similar(CIRCLES, shop(rows), 7, 2).keys.tolist() == [6, 5]


def test_an_anonymous_session_is_led_on_to_what_others_went_on_to_and_keeps_it_after_logging_in():
    went_on = [Lines.of([1], Kind.VIEWED).aged(0.01) + Lines.of([4], Kind.VIEWED)] * 20
    together = Lines(*(np.concatenate([getattr(one, part) for one in went_on]) for part in PARTS))
    model = replace(CIRCLES, sessions=sessions.learn(History(np.repeat(np.arange(20), 2), together, 20, 6)))
    live = Lines.of([1], Kind.VIEWED)
    assert recommend(CIRCLES, shop(PLAIN), Visitor(live), Wish(1)).keys.tolist() == [0]
    assert recommend(model, shop(PLAIN), Visitor(live), Wish(1)).keys.tolist() == [4]
    bought_long_ago = Lines.of([0], Kind.BOUGHT).aged(90)
    assert recommend(model, shop(PLAIN), Visitor(bought_long_ago + live), Wish(1)).keys.tolist() == [4]
    assert recommend(model, shop(PLAIN), Visitor(live.aged(1)), Wish(1)).keys.tolist() == [0]


def test_what_is_like_ones_own_counts_by_its_weight():
    neighbours = Likeness(np.array([[4]] * 6, dtype=np.int32), np.ones((6, 1), dtype=np.float32))
    model = replace(CIRCLES, likeness=neighbours, blend=Blend(discover=Weights(collaborative=1, neighbours=3)))
    assert recommend(model, shop(PLAIN), did((0, Kind.BOUGHT)), Wish(2)).keys.tolist() == [4, 1]
