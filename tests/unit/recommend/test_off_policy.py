"""What a slot would have earned with another ranking: on answers whose truth is known, and when it cannot be said."""

import numpy as np
import pytest

from services.recommend.domain.mixing import explore
from services.recommend.domain.off_policy import Round, judged

ITEMS, N = 80, 8
RATES = np.random.default_rng(2).uniform(0.02, 0.3, ITEMS)
BY_SCORE = list(range(N))


def rounds(seed, count, candidate, share=0.25, pool=range(10, ITEMS)):
    """Answers of a slot that shows items 0 to 7 and gives `share` of its places to items of the pool."""
    dice, found = np.random.default_rng(seed), []
    for number in range(count):
        shown = list(BY_SCORE)
        drawn = explore(N, range(N), np.array(pool), share, N, dice)
        if drawn is None:
            continue
        kept = iter([key for place, key in enumerate(BY_SCORE) if place not in drawn.left_out])
        shown = [drawn.items[place] if place in drawn.items else next(kept) for place in range(N)]
        explored = frozenset(drawn.items.values())
        rewards = {key: 1.0 for key in shown if dice.random() < RATES[key]}
        found.append(Round(number // 4, frozenset(shown), explored, drawn.pool, candidate, rewards))
    return found


@pytest.mark.parametrize("share", [0.25, 0.3, 0.08])  # two places; two or three; one or none
def test_the_truth_lies_within_the_interval_19_times_in_20(share):
    candidate = [0, 1, 2, 3, 12, 30, 55, 71]
    truth = RATES[candidate].sum()
    found = [judged(rounds(seed, 2_000, candidate, share), None)["estimates"]["snips"] for seed in range(60)]
    assert sum(one["low"] <= truth <= one["high"] for one in found) >= 54
    values = [one["value"] for one in found]
    assert np.mean(values) == pytest.approx(truth, abs=3 * np.std(values) / 60**0.5)


def test_the_same_ranking_gains_what_exploring_costs():
    found = judged(rounds(1, 4_000, BY_SCORE, 0.125), None)
    assert found["can_say"]
    assert found["diagnostics"]["support"] == pytest.approx(7 / 8)  # the last by score had to give way
    assert found["diagnostics"]["drawn_share"] == 0
    # what stayed earns its own rates, and the place that gave way is taken to earn as they do
    assert found["estimates"]["snips"]["value"] == pytest.approx(RATES[:7].mean() * 8, abs=0.05)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([], "nothing_explored"),
        (rounds(1, 2_000, [0, 1, 2, 3, 8, 9, 8, 9]), "too_little_support"),
        (rounds(1, 100, [0, 1, 2, 3, 12, 30, 55, 71]), "too_few_drawn"),
        (rounds(1, 10, BY_SCORE, 0.125), "too_few_rewards"),
    ],
)
def test_where_the_log_cannot_say_it_says_so_and_claims_nothing(given, why):
    found = judged(given, None)
    assert (found["can_say"], found["why"], found["estimates"]) == (False, why, None)
