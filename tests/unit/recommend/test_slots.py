"""What may be set of a slot, and the plan that comes of it and a request."""

import pytest

from services.recommend.domain.planning import plan_of
from services.recommend.domain.slots import SlotError, is_name, slot_of
from services.recommend.domain.strategies import ASKED, FALLBACKS, Strategy

USUAL = {
    "title": {"en": "", "zh": ""}, "kinds": ["product"], "strategy": "for_you", "fallbacks": ["popular"], "n": 5,
    "where": None, "exclude": {"bought": True, "bought_within_days": None, "viewed": False, "in_cart": True},
    "pins": [], "boosts": [], "quotas": [], "diversity": 0, "price_band": None, "explore_share": 0, "experiment": None,
}  # fmt: skip
KEYS = {"cup": 0, "pot": 1}.get


def test_names_are_those_of_an_address():
    assert all(map(is_name, ["home", "a", "blog-2", "a_b"]))
    assert not any(map(is_name, ["", "Home", "2nd", "a b", "a/b", "ö", "a" * 64, "home\n"]))


def test_a_slot_gives_its_plan():
    pins = [{"item_id": "pot", "position": 3}, {"item_id": "gone", "position": 1}, {"item_id": "cup", "position": 2}]
    plan = plan_of(slot_of("home", {**USUAL, "pins": pins}), None, None, None, KEYS)
    assert plan.chain == (Strategy.FOR_YOU, Strategy.POPULAR)
    assert plan.pins == ((2, 0), (3, 1)), "what the catalogue does not have is left out"
    assert plan.exclude.bought


def test_what_the_request_says_wins():
    slot = slot_of("home", USUAL)
    assert plan_of(slot, None, False, None, KEYS).exclude.bought is False
    assert plan_of(slot, Strategy.POPULAR, None, None, KEYS).chain == (Strategy.POPULAR,)
    again = plan_of(slot, Strategy.BUY_AGAIN, None, None, KEYS)
    assert again.chain == (Strategy.BUY_AGAIN, Strategy.POPULAR)
    assert again.exclude.bought is False
    assert plan_of(slot, Strategy.BUY_AGAIN, True, None, KEYS).exclude.bought is True, "said outright"


def test_nothing_asked_is_the_plain_way():
    assert plan_of(None, None, None, None, KEYS) is None
    assert plan_of(None, None, True, "", KEYS) is None
    assert plan_of(None, None, None, "green tea", KEYS).words == ("green", "tea")


def test_every_strategy_has_its_usual_fallbacks_and_none_falls_back_on_itself():
    assert FALLBACKS.keys() == ASKED
    assert all(strategy not in others and ASKED.issuperset(others) for strategy, others in FALLBACKS.items())


def test_each_variant_of_an_experiment_is_a_slot_of_its_own():
    variants = [
        {"name": "a", "share": 0.5},
        {"name": "b", "share": 0.5, "strategy": "trending", "overrides": {"n": 8, "diversity": 0.3}},
    ]
    experiment = {"id": "spring", "salt": "x", "variants": variants, "started_at": None}
    slot = slot_of("home", {**USUAL, "experiment": experiment}, 7)
    assert (slot.variants["a"].strategy, slot.variants["a"].n) == (Strategy.FOR_YOU, 5)
    assert (slot.variants["b"].strategy, slot.variants["b"].n, slot.variants["b"].diversity) == ("trending", 8, 0.3)
    variants[1]["overrides"] = {"strategy": "buy_again"}
    variants[1]["strategy"] = None
    with pytest.raises(SlotError, match=r"experiment.variants\[1\]"):
        slot_of("home", {**USUAL, "experiment": experiment})
