"""Who gets which variant, and when a winner may be named."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recommend.domain.experiments import Arm, bucket, outcome, variant_of
from services.recommend.domain.marks import MOST_CONTEXTS, context_of, marked
from shared.ids import uuid7

TEST = {
    "salt": "spring",
    "variants": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.3}, {"name": "c", "share": 0.2}],
}
START = datetime(2026, 5, 1, tzinfo=UTC)
LATER = START + timedelta(days=14)


def test_people_fall_into_the_variants_by_their_shares_and_stay():
    people = [f"user_id:{number}" for number in range(20_000)]
    found = [variant_of(TEST, person) for person in people]
    assert [found.count(name) / 20_000 for name in "abc"] == pytest.approx([0.5, 0.3, 0.2], abs=0.015)
    assert found == [variant_of(TEST, person) for person in people]


def test_another_experiment_divides_the_same_people_anew():
    both = [(bucket("spring", str(n)) < 0.5, bucket("summer", str(n)) < 0.5) for n in range(8_000)]
    assert both.count((True, True)) / 8_000 == pytest.approx(0.25, abs=0.02)


@given(st.integers(1, MOST_CONTEXTS - 1), st.binary(min_size=1, max_size=32))
def test_an_id_tells_its_context_to_who_has_the_key_and_stays_a_version_7(number, key):
    answer = uuid7()
    found = marked(answer, number, key)
    assert (found.version, found.variant) == (answer.version, answer.variant)
    assert found.int >> 40 == answer.int >> 40
    assert context_of(found, key) == number


def test_an_id_that_was_not_marked_or_was_altered_names_no_context():
    key = b"key"
    assert sum(context_of(uuid7(), key) is not None for _ in range(5_000)) <= 1
    found = marked(uuid7(), 7, key).int
    assert sum(context_of(UUID(int=found ^ 1 << bit), key) is not None for bit in range(128)) <= 1


def arms(*counts, people=4_000):
    names = "abcdef"
    return [Arm(names[n], 1 / len(counts), people, clickers=count) for n, count in enumerate(counts)]


def test_a_clear_difference_has_a_winner():
    found = outcome(arms(400, 560), "clicks", START, LATER, "CNY")
    assert (found["verdict"], found["winner"], found["why"]) == ("winner", "b", None)
    against = found["variants"][1]["against_control"]["clicks"]
    assert 0 < against["always_low"] < against["low"] < against["estimate"] == pytest.approx(0.04)
    assert found["variants"][0]["against_control"] is None


def test_of_several_the_best_wins_and_the_control_where_all_others_are_worse():
    assert outcome(arms(400, 560, 700), "clicks", START, LATER, "CNY")["winner"] == "c"
    assert outcome(arms(700, 500, 480), "clicks", START, LATER, "CNY")["winner"] == "a"
    assert outcome(arms(500, 505, 300), "clicks", START, LATER, "CNY")["verdict"] == "no_difference_yet"


@pytest.mark.parametrize(
    ("given_arms", "until", "why"),
    [
        (arms(400, 560), START + timedelta(days=6), "too_early"),
        (arms(9, 40, people=90), LATER, "too_few_people"),
        (arms(400, 420), LATER, "inconclusive"),
        (arms(0, 0, people=0), LATER, "too_few_people"),
    ],
)
def test_without_enough_to_go_by_there_is_no_difference_yet(given_arms, until, why):
    found = outcome(given_arms, "clicks", START, until, "CNY")
    assert (found["verdict"], found["winner"], found["why"]) == ("no_difference_yet", None, why)


def test_arms_of_the_wrong_size_are_not_compared():
    wrong = [Arm("a", 0.5, 4_400, clickers=400), Arm("b", 0.5, 4_000, clickers=800)]
    found = outcome(wrong, "clicks", START, LATER, "CNY")
    assert (found["verdict"], found["winner"]) == ("do_not_trust", None)
    assert [one["against_control"] for one in found["variants"]] == [None, None]


def test_the_size_that_is_needed_is_told_from_the_controls_rate():
    assert outcome(arms(400, 400), "clicks", START, LATER, "CNY")["people_needed"] == pytest.approx(14_128, rel=0.01)
    assert outcome(arms(0, 0), "clicks", START, LATER, "CNY")["people_needed"] is None


def test_the_goal_decides():
    mixed = [Arm("a", 0.5, 4_000, 400, 200), Arm("b", 0.5, 4_000, 400, 330)]
    assert outcome(mixed, "clicks", START, LATER, "CNY")["verdict"] == "no_difference_yet"
    assert outcome(mixed, "orders", START, LATER, "CNY")["winner"] == "b"
    paid = [
        Arm("a", 0.5, 4_000, revenue=4e5, revenue_squares=8e7),
        Arm("b", 0.5, 4_000, revenue=5e5, revenue_squares=1e8),
    ]
    assert outcome(paid, "revenue", START, LATER, "CNY")["winner"] == "b"


def known_before(arm, slope, people=4_000, spread=1.0):
    """The arm with a figure from before that explains revenue: mean 1, and revenue rises by `slope` with it."""
    squares = people * (1 + spread**2)
    return replace(
        arm,
        known=people,
        revenue_before=people,
        revenue_before_squares=squares,
        revenue_products=arm.revenue + slope * people * spread**2,
    )


def test_what_was_known_before_sharpens_the_verdict_and_leaves_the_difference():
    plain = [
        Arm("a", 0.5, 4_000, revenue=4e5, revenue_squares=8e7),
        Arm("b", 0.5, 4_000, revenue=4.2e5, revenue_squares=8.41e7),
    ]
    assert outcome(plain, "revenue", START, LATER, "CNY")["verdict"] == "no_difference_yet"
    found = outcome([known_before(arm, 95) for arm in plain], "revenue", START, LATER, "CNY")
    assert (found["verdict"], found["winner"]) == ("winner", "b")
    assert found["cuped"]["judged_by"]
    assert found["cuped"]["variance_saved"]["revenue"] == pytest.approx(0.9, abs=0.03)
    against, sharper = (found["variants"][1][name]["revenue"] for name in ("against_control", "against_control_cuped"))
    assert against["estimate"] == sharper["estimate"] == pytest.approx(5)
    assert against["low"] < sharper["low"] < sharper["high"] < against["high"]
    assert found["people_needed"] < outcome(plain, "revenue", START, LATER, "CNY")["people_needed"] / 5
    clicks = outcome([known_before(arm, 95) for arm in plain], "clicks", START, LATER, "CNY")
    assert not clicks["cuped"]["judged_by"]  # nothing is known before of what explains clicks


def test_with_hardly_anybody_known_before_the_comparison_is_the_plain_one():
    paid = [Arm("a", 0.5, 4_000, revenue=4e5, revenue_squares=8e7)] * 2
    found = outcome([replace(known_before(arm, 95), known=49) for arm in paid], "revenue", START, LATER, "CNY")
    assert not found["cuped"]["judged_by"]
    assert found["variants"][1]["against_control_cuped"] == {"clicks": None, "orders": None, "revenue": None}
