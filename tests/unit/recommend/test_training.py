"""When a model is due."""

from datetime import UTC, datetime, timedelta

import pytest

from services.recommend.domain.training import MOST_OFTEN, Situation, is_due

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)


def situation(**changed):
    usual = {
        "now": NOON,
        "requested_at": None,
        "started_at": NOON - timedelta(days=1),
        "failed_at": None,
        "read": 100_000,
        "unread": 0,
        "trained": 50_000,
    }
    return Situation(**{**usual, **changed})


@pytest.mark.parametrize(
    ("why", "changed", "due"),
    [
        ("much is new and the last run is long ago", {}, True),
        ("next to nothing is new", {"trained": 99_000}, False),
        ("the last run has only just begun", {"started_at": NOON - MOST_OFTEN / 2}, False),
        ("the log is still being read", {"unread": 5_000}, False),
        ("there was never a model", {"trained": None, "started_at": None, "read": 1_000}, True),
        ("there was never a model, and hardly an event", {"trained": None, "started_at": None, "read": 10}, False),
        ("the newest model lacks what this release learns", {"trained": 100_000, "outdated": True}, True),
        ("it lacks that, and the last run has only just begun", {"outdated": True, "started_at": NOON}, False),
        ("somebody asked", {"requested_at": NOON, "trained": 100_000, "unread": 5}, True),
        ("a run has begun since somebody asked", {"requested_at": NOON - timedelta(days=2), "trained": 99_999}, False),
        ("the last run failed a moment ago", {"failed_at": NOON, "started_at": NOON - timedelta(minutes=1)}, False),
    ],
)  # fmt: skip
def test_a_model_is_due_or_not(why, changed, due):
    assert is_due(situation(**changed)) is due, why
