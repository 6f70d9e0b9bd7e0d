"""What recommend lets go of: passing interest, as long ago as the shop says; never what was bought."""

from datetime import UTC, datetime, timedelta

import pytest

from services.recommend.actions import upkeep
from services.recommend.domain.interactions import Kind

NOW = datetime(2026, 6, 30, tzinfo=UTC)
OLD = NOW - timedelta(days=500)


@pytest.mark.parametrize(
    ("days", "left"), [(None, [Kind.VIEWED, Kind.BOUGHT, Kind.VIEWED]), (365, [Kind.BOUGHT, Kind.VIEWED])]
)
def test_old_views_go_where_events_are_not_kept_and_purchases_stay(services, recommend_tx, console_api, days, left):
    console_api.put("/v1/shop", json={"events_kept_days": days})
    for position, kind, at in ((1, Kind.VIEWED, OLD), (2, Kind.BOUGHT, OLD), (3, Kind.VIEWED, NOW)):
        recommend_tx.execute(
            """
            INSERT INTO interaction (position, line, product_id, kind, quantity, occurred_at)
            VALUES (%(position)s, 0, 'longjing', %(kind)s, 1, %(at)s)
            """,
            {"position": position, "kind": int(kind), "at": at},
        )
    with services.acting("recommend"):
        upkeep.run(NOW)
    assert [row["kind"] for row in recommend_tx.all("SELECT kind FROM interaction ORDER BY position")] == left


def test_the_registry_forgets_models_whose_files_are_long_gone(services, recommend_tx):
    for version, path, at in (("1", None, OLD), ("2", "file:///kept", OLD), ("3", None, NOW)):
        recommend_tx.execute(
            """
            INSERT INTO model (version, as_of, log_position, started_at, published_at, path, manifest)
            VALUES (%(version)s, %(at)s, 0, %(at)s, %(at)s, %(path)s, '{}')
            """,
            {"version": version, "path": path, "at": at},
        )
    with services.acting("recommend"):
        upkeep.run(NOW)
    assert [row["version"] for row in recommend_tx.all("SELECT version FROM model ORDER BY version")] == ["2", "3"]
