"""What segmentation lets go of, and what it never does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.segmentation.actions import upkeep

NOW = datetime(2026, 6, 30, tzinfo=UTC)
OLD = NOW - timedelta(days=500)
YOUNG = NOW - timedelta(days=100)


@pytest.fixture
def tables(services, segmentation_tx, console_api):
    """Two events of each age, one of the old ones an order's; two changes; two computations."""
    tx = segmentation_tx
    for position, at in ((1, OLD), (2, OLD), (3, YOUNG), (4, YOUNG)):
        tx.execute(
            """
            INSERT INTO event_fact (position, event, occurred_at, properties)
            VALUES (%(position)s, 'Seen', %(at)s, '{}')
            """,
            {"position": position, "at": at},
        )
    tx.execute(
        """
        INSERT INTO purchase (position, kind, order_key, occurred_at, placed_at, trusted, discount_minor, currency)
        VALUES (2, 'order', 'A', %(at)s, %(at)s, true, 0, 'CNY')
        """,
        {"at": OLD},
    )
    for position, at in ((1, OLD), (2, OLD), (3, YOUNG)):
        tx.execute(
            "INSERT INTO membership_log VALUES (%(n)s, gen_random_uuid(), gen_random_uuid(), true, %(at)s)",
            {"n": position, "at": at},
        )
    for at, state in ((OLD, "done"), (OLD, "running"), (YOUNG, "done")):
        tx.execute(
            """
            INSERT INTO recompute_job (job_id, reason, state, requested_at)
            VALUES (gen_random_uuid(), 'asked', %(state)s, %(at)s)
            """,
            {"state": state, "at": at},
        )

    def after(days: int | None) -> dict[str, Any]:
        assert console_api.put("/v1/shop", json={"events_kept_days": days}).status_code == 200
        with services.acting("segmentation"):
            upkeep.run(NOW)
        return {
            "events": [row["position"] for row in tx.all("SELECT position FROM event_fact ORDER BY 1")],
            "changes": [row["position"] for row in tx.all("SELECT position FROM membership_log ORDER BY 1")],
            "jobs": [row["state"] for row in tx.all("SELECT state FROM recompute_job ORDER BY requested_at, state")],
        }

    return after


def test_events_stay_for_ever_unless_the_shop_decides_otherwise(tables):
    assert tables(None)["events"] == [1, 2, 3, 4]


def test_old_events_go_but_not_those_of_orders(tables):
    assert tables(365)["events"] == [2, 3, 4]


def test_old_changes_and_ended_computations_go(tables):
    left = tables(None)
    assert left["changes"] == [3]
    assert left["jobs"] == ["running", "done"]


def test_the_newest_change_stays_however_old(tables, segmentation_tx):
    segmentation_tx.execute("DELETE FROM membership_log WHERE position = 3")
    assert tables(None)["changes"] == [2]
