"""Whether the work gets done: what waits in front of each reader, what is not sent, what failed last."""

from collections.abc import Iterator
from typing import Any, Final

import psycopg

from deploy.checkup.finding import Finding, judge

_LATE_S: Final = 60.0
_STUCK_S: Final = 600.0


def under_way(connection: psycopg.Connection[Any], running: bool) -> Iterator[Finding]:
    """Everything that waits. `running` False: waiting is natural, and only told."""
    for subject, query, remedy in _WAITING:
        row: Any = connection.execute(query).fetchone()
        count, age = row["waiting"], row["age"] or 0.0
        fact = f"{count} wait, the oldest for {age:.0f} s" if count else "nothing waits"
        yield judge(subject, fact, remedy, fail=running and age > _STUCK_S, warn=age > _LATE_S)
    for subject, query, remedy in _FAILED:
        row = connection.execute(query).fetchone()
        yield judge(subject, row["failure"] or "none failed", remedy, warn=bool(row["failure"]))


_READER: Final = """
    SELECT greatest(coalesce((SELECT max(position) FROM profile.log_head WHERE log = 'events'), 0) - c.position, 0)
               AS waiting,
           (SELECT extract(epoch FROM now() - max(e.received_at))::float FROM profile.event_log e
            WHERE e.position = c.position + 1) AS age
    FROM (SELECT coalesce((SELECT max(position) FROM {reader}.log_cursor WHERE reader = '{reader}'), 0) AS position) c
"""
_WAITING: Final = (
    (
        "events accepted",
        """
        SELECT count(*) AS waiting, extract(epoch FROM now() - min(received_at))::float AS age FROM profile.intake
        """,
        "zhike logs profile-worker says why the appender does not move; --scale profile-appender=1 gives it a process",
    ),
    *(
        (
            f"events unread by {reader}",
            _READER.format(reader=reader),
            f"zhike logs {reader}-worker says why it does not read",
        )
        for reader in ("segmentation", "recommend", "campaign")
    ),
    (
        "messages due",
        """
        SELECT count(*) AS waiting, extract(epoch FROM now() - min(s.due_at))::float AS age
        FROM campaign.send s JOIN campaign.run r USING (run_id)
        WHERE r.status = 'sending' AND s.state = 'pending' AND s.due_at <= now()
        """,
        "zhike logs campaign-worker; is sending on, does the mail server answer? For more: --scale campaign-sender=2",
    ),
    (
        "outcomes to publish",
        """
        SELECT count(*) AS waiting, extract(epoch FROM now() - min(recorded_at))::float AS age
        FROM campaign.outcome WHERE published_at IS NULL AND bot IS NULL
        """,
        "zhike logs campaign-worker: profile's API must answer for them to be published",
    ),
)
_FAILED: Final = (
    (
        "campaigns in trouble",
        """
        SELECT string_agg(name || ': ' || problem, '; ' ORDER BY name) AS failure FROM campaign.campaign
        WHERE problem IS NOT NULL AND status IN ('preparing', 'sending', 'paused')
        """,
        "the console's page of the campaign says more",
    ),
    (
        "training",
        """
        SELECT t.failure FROM recommend.training t
        WHERE t.failed_run > coalesce((SELECT max(started_at) FROM recommend.model), '-infinity')
        UNION ALL SELECT NULL LIMIT 1
        """,
        "zhike logs recommend-trainer; the last good model goes on serving",
    ),
    (
        "full computation",
        """
        SELECT (SELECT CASE WHEN state = 'failed' THEN error END FROM segmentation.recompute_job
                ORDER BY requested_at DESC LIMIT 1) AS failure
        """,
        "zhike logs segmentation-worker; segments keep their last members",
    ),
)
