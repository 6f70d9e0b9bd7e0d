"""What a report claims of a campaign, and what it does not."""

import numpy as np
import pytest

from services.campaign.domain.report import REPLAY_NOTE, Arm, daily, lift


def arm(people, buyers=0, revenue=0.0, squares=0.0):
    return Arm(people, buyers, buyers, int(revenue), squares)


def test_a_real_difference_is_found_and_scaled_to_everybody_treated():
    rng = np.random.default_rng(3)
    treated, held_out = rng.normal(1100, 300, 9000), rng.normal(1000, 300, 1000)
    found = lift(
        Arm(9000, 9000, 9000, int(treated.sum()), float((treated**2).sum())),
        Arm(1000, 1000, 1000, int(held_out.sum()), float((held_out**2).sum())),
        0.1,
        replay=False,
        window_over=True,
    )
    assert found["verdict"] == "higher"
    assert found["incremental_revenue_minor"]["estimate"] == pytest.approx(100 * 9000, rel=0.25)
    assert found["incremental_revenue_minor"]["low"] > 0
    assert found["notes"] == []


def test_a_broken_split_blocks_the_verdict():
    found = lift(arm(600, 10, 1000, 1e6), arm(400, 10, 1000, 1e6), 0.1, replay=False, window_over=True)
    assert found["verdict"] == "sample_ratio_mismatch"
    assert found["revenue_per_person_minor"] is None
    assert found["incremental_revenue_minor"] is None
    assert not found["sample_ratio"]["passed"]


def test_a_replay_says_that_it_is_an_a_a_check():
    found = lift(arm(900, 10, 1000, 1e6), arm(100, 1, 100, 1e4), 0.1, replay=True, window_over=True)
    assert [note["code"] for note in found["notes"]] == ["replay"]
    assert "cannot have caused anything" in REPLAY_NOTE


def test_without_a_holdout_nothing_is_claimed():
    found = lift(arm(1000, 10, 1000, 1e6), arm(0), 0.0, replay=False, window_over=False)
    assert found["verdict"] == "no_holdout"
    assert {note["code"] for note in found["notes"]} == {"no_holdout", "window_open"}


def test_days_without_orders_are_days_too():
    from datetime import UTC, datetime

    rows = [{"day": 2, "arm": "treated", "orders": 3, "revenue_minor": 90}]
    series = daily(rows, datetime(2026, 2, 27, 10, tzinfo=UTC), 4)
    assert [entry["date"] for entry in series] == ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"]
    assert [entry["treated"]["orders"] for entry in series] == [0, 0, 3, 0]
