"""An answer by a plan: no rule is ever broken, n is met or explained, and a person with a pencil gives the same."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.recommend.domain.arranging import arrange
from services.recommend.domain.expression_parser import parse
from services.recommend.domain.habits import Habits
from services.recommend.domain.interactions import Kind
from services.recommend.domain.model import Model
from services.recommend.domain.pairs import Pairs
from services.recommend.domain.parameters import AlsParameters, Blend, Parameters
from services.recommend.domain.plans import Boost, Exclusions, Plan, PriceBand, Quota
from services.recommend.domain.proposals import Asked, propose
from services.recommend.domain.strategies import ASKED, Strategy
from services.recommend.domain.unlikeness import Likeness
from services.recommend.domain.wishes import Reason, Wish
from tests.unit.recommend.reference import AT, ROWS, Pencil, Row, allowed, groups, holds, one_of, shop, someone
from tests.unit.recommend.test_expressions import EXPRESSIONS

KEYS = st.integers(0, 7)


def _filled_up(chain):
    """Mostly with everything there is, so that rules are what leaves items out."""
    return one_of(tuple(chain), *[(*chain, Strategy.NEW_ARRIVALS)] * 3).map(lambda found: tuple(dict.fromkeys(found)))


PLANS = st.builds(
    Plan,
    chain=st.lists(one_of(*sorted(ASKED)), min_size=1, max_size=3, unique=True).flatmap(_filled_up),
    exclude=st.builds(
        Exclusions, st.booleans(), st.none() | st.integers(1, 60), st.sampled_from([False, False, True]), st.booleans()
    ),
    pins=st.dictionaries(st.integers(1, 12), KEYS, max_size=4).map(
        lambda pins: tuple(sorted({key: (place, key) for place, key in pins.items()}.values()))
    ),
    boosts=st.lists(st.builds(Boost, EXPRESSIONS.map(parse), one_of(0.1, 0.5, 3.0, 10.0)), max_size=2).map(tuple),
    quotas=st.lists(st.builds(Quota, one_of("category", "brand", "colour", "size"), st.integers(1, 3)), max_size=2).map(
        tuple
    ),
    diversity=one_of(0.0, 0.0, 0.3, 0.9, 1.0),
    price_band=st.none()
    | st.none()
    | st.builds(PriceBand, one_of("item", "cart", "history"), one_of(0.0, 0.5), one_of(1.0, 2.0)),
    words=one_of((), (), ("ITEM", "1"), ("tea",), ("nothing",)),
)
WISHES = st.builds(
    Wish,
    n=st.integers(1, 10),
    exclude=st.lists(KEYS, max_size=4),
    looked_at=st.none() | KEYS,
    cart=st.lists(KEYS, max_size=3),
    near=one_of(None, None, ("Tea",), ("Green",), ("Ware", "Green")),
    kinds=one_of(frozenset({"product"}), frozenset({"content"}), frozenset({"product", "content"})),
    where=one_of(False, False, True)
    .flatmap(lambda some: st.lists(EXPRESSIONS.map(parse), max_size=2 * some))
    .map(tuple),
    at=st.just(AT),
)
DEEDS = st.lists(
    st.tuples(KEYS, one_of(*Kind, Kind.BOUGHT, Kind.BOUGHT, Kind.BOUGHT), one_of(0.0, 1.0, 7.0, 30.0, 90.0)),
    max_size=16,
)


def trained(size, seed):
    """A model of random numbers, and habits of random people, of the first `size` items."""
    rng = np.random.default_rng(seed)
    partners = [np.sort(rng.choice(size, min(size, 3), replace=False)) for _ in range(size)]
    lifts = (1 + rng.random((sum(map(len, partners)), 3))).astype(np.float32)
    pairs = Pairs(np.cumsum([0, *map(len, partners)]), np.concatenate(partners).astype(np.int32), lifts)
    trend = np.maximum(rng.normal(size=size), 0).astype(np.float32)
    rhythms = np.where(rng.random(size) < 0.5, np.nan, rng.integers(1, 60, size)).astype(np.float32)
    return Model(
        "m",
        datetime(2026, 5, 20, tzinfo=UTC),
        rng.normal(scale=0.5, size=(size, 4)).astype(np.float32),
        np.maximum(rng.normal(size=size), 0).astype(np.float32),
        Parameters(als=AlsParameters(factors=4, regularization=0.1)),
        Blend(),
        {"CN": rng.random(size).astype(np.float32)},
        habits=Habits(pairs, trend, rhythms, {"CN": trend[::-1].copy()}),
    )


MODELS = st.none() | st.builds(trained, st.integers(1, 16), st.integers(0, 50))


def of_the_catalogue(rows, wish):
    """The action leaves out what the catalogue does not have."""
    cart = [key for key in wish.cart if key < len(rows)]
    looked_at = wish.looked_at if wish.looked_at is not None and wish.looked_at < len(rows) else None
    return replace(wish, cart=cart, looked_at=looked_at, exclude=[key for key in wish.exclude if key < len(rows)])


@settings(max_examples=200)
@given(ROWS, MODELS, DEEDS, WISHES, PLANS)
def test_no_rule_is_ever_broken_and_n_is_met_or_explained(rows, model, deeds, wish, plan):
    wish = of_the_catalogue(rows, wish)
    answer = arrange(model, shop(rows), someone(deeds), wish, plan)
    shown = answer.keys.tolist()
    may = allowed(rows, deeds, wish, plan)
    assert set(shown) <= may
    assert len(shown) == len(set(shown)) == len(answer.reasons) == len(answer.scores) == len(answer.whys) <= wish.n
    assert np.isfinite(answer.scores).all()
    for number, quota in enumerate(plan.quotas):
        taken = [group for key in shown for group in groups(rows[key], plan.quotas) if group[0] == number]
        assert all(taken.count(group) <= quota.most for group in taken)
    pins = {
        place: key for place, key in plan.pins if key in shown and answer.reasons[shown.index(key)] is Reason.PINNED
    }
    for place, key in pins.items():
        after = answer.reasons[shown.index(key) + 1 :]
        assert shown.index(key) + 1 == place or set(after) <= {Reason.PINNED}, "there are too few others before it"
    assert (answer.shortfall is None) == (len(shown) == wish.n)
    if answer.shortfall is not None:
        short = answer.shortfall
        left = [short.in_catalogue, short.on_sale, short.match_filter, short.in_price_band, short.not_excluded]
        assert left == sorted(left, reverse=True)
        assert (short.returned, short.not_excluded) == (len(shown), len(may))
        if not plan.quotas:
            assert short.proposed == len(shown), "only a rule or a quota may leave a proposed item out"


@given(ROWS, MODELS, DEEDS, WISHES, PLANS)
def test_the_answer_is_that_of_a_person_with_a_pencil(rows, model, deeds, wish, plan):
    wish = of_the_catalogue(rows, wish)
    catalogue, visitor = shop(rows), someone(deeds)
    answer = arrange(model, catalogue, visitor, wish, plan)
    likeness = Likeness(model, catalogue)
    pencil = Pencil(
        *(rows, wish, plan, allowed(rows, deeds, wish, plan)),
        lambda one, other: float(likeness.to(np.asarray([other]))(one)[0]),
        answer.keys.tolist(),
    )
    pencil.pin()
    asked = Asked(model, catalogue, visitor, wish)
    proposals = [one for strategy in plan.chain if (one := propose(strategy, asked)) is not None]
    used = []
    for proposal in proposals:
        _boost(proposal.scores, rows, plan)
    near = _near(rows, wish, plan)
    for first in (None,) if near is None else (near, None):
        for proposal in proposals:
            before = len(pencil.chosen)
            pencil.fill(proposal.scores, first)
            used += [proposal.strategy] if len(pencil.chosen) > before else []
    assert answer.keys.tolist() == pencil.shown()
    assert list(answer.strategies) == list(dict.fromkeys(used))


def _boost(scores, rows, plan):
    for boost in plan.boosts:
        for key, row in enumerate(rows):
            if holds(boost.where, key, row):
                factor = np.float32(boost.factor)
                scores[key] = scores[key] * factor if scores[key] > 0 else scores[key] / factor


def _near(rows, wish, plan):
    if wish.near is None and not plan.words:
        return None
    near = []
    for key, row in enumerate(rows):
        text = " ".join([f"item {key}", (row.brand or "").lower(), *(part.lower() for part in row.category)])
        path = wish.near or ()
        in_category = path[0] in row.category if len(path) == 1 else row.category[: len(path)] == path
        near.append(in_category and all(word.lower() in text for word in plan.words))
    return near


TEAS = [Row(category=("Tea",), brand="Hill", price=1_000 * (key + 1), days=10 - key) for key in range(4)]
WARES = [Row(category=("Ware",), brand="Yun", price=1_000 * (key + 1), days=5 - key) for key in range(4)]
CUSTOMER = someone([])


def ask(plan, wish=None, model=None, rows=(*TEAS, *WARES), visitor=CUSTOMER):
    return arrange(model, shop(rows), visitor, wish or Wish(3, at=AT), plan)


NEW = Plan((Strategy.NEW_ARRIVALS,), Exclusions(bought=False))


def test_a_pin_stands_in_its_place():
    answer = ask(replace(NEW, pins=((1, 0), (3, 2))))
    assert answer.keys.tolist() == [0, 7, 2]
    assert answer.reasons == [Reason.PINNED, Reason.NEW, Reason.PINNED]
    assert answer.strategies == (Strategy.NEW_ARRIVALS,)


@pytest.mark.parametrize(
    ("row", "wish"),
    [
        (replace(TEAS[0], on_sale=False), Wish(3)),
        (TEAS[0], Wish(3, where=(parse("price > 10"),))),
        (TEAS[0], Wish(3, exclude=[0])),
        (replace(TEAS[0], kind="content"), Wish(3)),
    ],
)
def test_a_pin_never_overrides_a_rule(row, wish):
    answer = ask(replace(NEW, pins=((1, 0),)), replace(wish, at=AT), rows=[row, *TEAS[1:], *WARES])
    assert 0 not in answer.keys.tolist()
    assert len(answer.keys) == 3


def test_a_boost_lifts_and_a_small_factor_buries():
    assert ask(replace(NEW, boosts=(Boost(parse('brand = "Hill"'), 10.0),))).keys.tolist() == [3, 2, 1]
    assert ask(replace(NEW, boosts=(Boost(parse("price = 40"), 0.1),))).keys.tolist() == [6, 5, 4]


def test_a_quota_leaves_room_for_others():
    answer = ask(replace(NEW, quotas=(Quota("category", 2),)), Wish(4, at=AT))
    assert answer.keys.tolist() == [7, 6, 3, 2]


def test_quotas_that_cannot_be_met_are_named_as_the_reason():
    answer = ask(replace(NEW, quotas=(Quota("brand", 1),)), Wish(4, at=AT))
    assert answer.keys.tolist() == [7, 3]
    assert answer.shortfall.reason == "too_few_within_quotas"


def test_an_item_of_several_colours_counts_for_each():
    rows = [
        Row(attributes=(("colour", colours),), days=key)
        for key, colours in enumerate((["red", "blue"], "blue", "red", "green"))
    ]
    answer = ask(replace(NEW, quotas=(Quota("colour", 1),)), Wish(4, at=AT), rows=rows)
    assert answer.keys.tolist() == [0, 3]


def test_variety_takes_turns():
    plain = ask(NEW, Wish(4, at=AT)).keys.tolist()
    varied = ask(replace(NEW, diversity=0.5), Wish(4, at=AT)).keys.tolist()
    assert plain == [7, 6, 5, 4]
    assert varied[0] == 7
    assert {rows_category(key) for key in varied[:2]} == {"Tea", "Ware"}


def test_variety_counts_from_the_first_choice_on():
    # after the newest ware the newest tea; then every item is as like one that is there as any other
    assert ask(replace(NEW, diversity=1.0), Wish(4, at=AT)).keys.tolist() == [7, 3, 6, 5]


@pytest.mark.parametrize(("better", "chosen"), [(4, 5), (5, 1)])
def test_variety_looks_at_the_best_five_times_as_many_as_are_wanted(better, chosen):
    """One ware behind some newer teas, and a tea that has its place already."""
    rows = [
        replace(TEAS[0], days=90),
        *(replace(TEAS[0], days=1 + n) for n in range(better)),
        replace(WARES[0], days=9),
    ]
    answer = ask(replace(NEW, diversity=1.0, pins=((1, 0),)), Wish(2, at=AT), rows=rows)
    assert answer.keys.tolist() == [0, chosen]


def rows_category(key):
    return "Tea" if key < 4 else "Ware"


def test_prices_stay_in_the_band_of_the_item_that_is_looked_at():
    band = replace(NEW, price_band=PriceBand("item", 0.5, 1.5))
    assert set(ask(band, Wish(9, looked_at=1, at=AT)).keys.tolist()) == {0, 2, 4, 5, 6}
    assert ask(band, Wish(7, looked_at=1, at=AT)).shortfall.reason == "too_few_in_price_band"


def test_both_ends_of_a_band_belong_to_it_and_not_a_cent_more():
    prices = [2_000, 999, 1_000, 3_000, 3_001]
    rows = [Row(price=price, days=key) for key, price in enumerate(prices)]
    band = replace(NEW, price_band=PriceBand("item", 0.5, 1.5))
    assert ask(band, Wish(2, looked_at=0, at=AT), rows=rows).keys.tolist() == [2, 3]
    assert ask(band, Wish(3, looked_at=0, at=AT), rows=rows).shortfall.in_price_band == 3


def test_a_band_around_nothing_leaves_every_price():
    assert len(ask(replace(NEW, price_band=PriceBand("cart", 0.5, 1.5)), Wish(8, at=AT)).keys) == 8


def test_what_was_bought_within_some_days_is_not_shown_and_what_was_sent_back_is():
    person = someone([(7, Kind.BOUGHT, 3), (6, Kind.BOUGHT, 40), (5, Kind.BOUGHT, 2), (5, Kind.RETURNED, 1)])
    plan = replace(NEW, exclude=Exclusions(bought=False, bought_within_days=30))
    assert ask(plan, visitor=person).keys.tolist() == [6, 5, 4]


def test_fallbacks_fill_up_and_are_named():
    person = someone([(2, Kind.VIEWED, 1)])
    plan = Plan((Strategy.RECENTLY_VIEWED, Strategy.NEW_ARRIVALS), Exclusions())
    answer = ask(plan, visitor=person)
    assert answer.keys.tolist() == [2, 7, 6]
    assert answer.strategies == (Strategy.RECENTLY_VIEWED, Strategy.NEW_ARRIVALS)
    assert answer.strategy is Strategy.RECENTLY_VIEWED


def test_a_strategy_with_nothing_more_to_propose_says_so():
    answer = ask(Plan((Strategy.RECENTLY_VIEWED,), Exclusions()), visitor=someone([(2, Kind.VIEWED, 1)]))
    assert answer.keys.tolist() == [2]
    assert answer.shortfall.reason == "too_few_proposed"


def test_what_was_viewed_last_comes_first():
    person = someone([(2, Kind.VIEWED, 5), (3, Kind.CLICKED, 1), (4, Kind.VIEWED, 2), (2, Kind.VIEWED, 0)])
    assert ask(Plan((Strategy.RECENTLY_VIEWED,)), visitor=person).keys.tolist() == [2, 3, 4]


COUNTED = trained(8, 0)
PARTNERS = Pairs(
    np.array([0, 2, 3, 3, 3, 3, 3, 3, 3]),
    np.array([5, 6, 6], dtype=np.int32),
    np.array([[3, 2, 4], [2, 1.5, 3], [3, 2, 4]], dtype=np.float32),
)


def test_what_is_bought_together_comes_by_its_surest_lift_and_says_with_what():
    model = replace(COUNTED, habits=replace(COUNTED.habits, pairs=PARTNERS))
    answer = ask(Plan((Strategy.BOUGHT_TOGETHER,)), Wish(2, looked_at=0, at=AT), model)
    assert answer.keys.tolist() == [5, 6]
    assert [why.item for why in answer.whys] == [0, 0]


def test_what_goes_with_all_of_the_cart_comes_before_what_goes_with_a_part():
    model = replace(COUNTED, habits=replace(COUNTED.habits, pairs=PARTNERS))
    answer = ask(Plan((Strategy.CART_COMPLEMENTS,)), Wish(2, cart=[0, 1], at=AT), model)
    assert answer.keys.tolist() == [6, 5]
    assert [(why.reason, why.item) for why in answer.whys] == [(Reason.FITS_CART, 1), (Reason.FITS_CART, 0)]


def test_what_is_bought_in_a_rhythm_is_due_at_the_end_of_its_gap():
    person = someone(
        [(1, Kind.BOUGHT, ago) for ago in (29, 19, 9)]
        + [(2, Kind.BOUGHT, ago) for ago in (50, 10)]
        + [(3, Kind.BOUGHT, 5)]
    )
    habits = replace(COUNTED.habits, rhythms=np.full(8, np.nan, dtype=np.float32))
    plan = Plan((Strategy.BUY_AGAIN,), Exclusions(bought=False))
    answer = ask(plan, model=replace(COUNTED, habits=habits), visitor=person)
    assert answer.keys.tolist() == [1, 2], "bought once, and nobody's rhythm known: not due"
    assert [round(why.days) for why in answer.whys] == [1, 30]


def test_of_the_pages_category_even_a_fallback_comes_before_other_categories():
    person = someone([(5, Kind.VIEWED, 1), (0, Kind.VIEWED, 2)])
    plan = Plan((Strategy.RECENTLY_VIEWED, Strategy.NEW_ARRIVALS), Exclusions())
    answer = ask(plan, Wish(6, near=("Tea",), at=AT), visitor=person)
    assert answer.keys.tolist() == [0, 3, 2, 1, 5, 7]


def test_what_was_searched_for_comes_first():
    answer = ask(replace(NEW, words=("hill",)), Wish(5, at=AT))
    assert answer.keys.tolist() == [3, 2, 1, 0, 7]
