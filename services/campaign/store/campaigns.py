"""Campaigns and their runs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from shared.database import Row, Transaction


def insert_campaign(tx: Transaction, campaign: Mapping[str, Any]) -> None:
    """A new draft."""
    tx.execute(
        """
        INSERT INTO campaign
            (campaign_id, name, channel, purpose, segment_id, template_id, send_at, send_at_local, send_at_zone,
             holdout_share, assignment_salt, recommend_n, recommend_slot, recommend_filter, attribution_days,
             replay, created_by)
        VALUES
            (%(campaign_id)s, %(name)s, %(channel)s, %(purpose)s, %(segment_id)s, %(template_id)s, %(send_at)s,
             %(send_at_local)s, %(send_at_zone)s, %(holdout_share)s, %(assignment_salt)s, %(recommend_n)s,
             %(recommend_slot)s, %(recommend_filter)s, %(attribution_days)s, %(replay)s, %(created_by)s)
        """,
        _row(campaign),
    )


def update_campaign(tx: Transaction, campaign: Mapping[str, Any]) -> None:
    """What a person edits."""
    tx.execute(
        """
        UPDATE campaign SET
            name = %(name)s, purpose = %(purpose)s, segment_id = %(segment_id)s, template_id = %(template_id)s,
            send_at = %(send_at)s, send_at_local = %(send_at_local)s, send_at_zone = %(send_at_zone)s,
            due_at = %(due_at)s, holdout_share = %(holdout_share)s, assignment_salt = %(assignment_salt)s,
            recommend_n = %(recommend_n)s, recommend_slot = %(recommend_slot)s, recommend_filter = %(recommend_filter)s,
            attribution_days = %(attribution_days)s, replay = %(replay)s, version = version + 1, updated_at = now()
        WHERE campaign_id = %(campaign_id)s
        """,
        _row(campaign),
    )


def find_campaign(tx: Transaction, campaign_id: UUID, *, lock: bool = False) -> Row | None:
    """One campaign; `lock` it to change its status."""
    if lock:
        tx.execute("SELECT FROM campaign WHERE campaign_id = %(campaign_id)s FOR UPDATE", {"campaign_id": campaign_id})
    return tx.one("SELECT * FROM campaign WHERE campaign_id = %(campaign_id)s", {"campaign_id": campaign_id})


def list_campaigns(tx: Transaction, status: str | None, after: tuple[datetime, UUID] | None, limit: int) -> list[Row]:
    """Campaigns, newest first."""
    return tx.all(
        """
        SELECT * FROM campaign
        WHERE (%(status)s::text IS NULL OR status = %(status)s)
          AND (%(at)s::timestamptz IS NULL OR (created_at, campaign_id) < (%(at)s::timestamptz, %(id)s::uuid))
        ORDER BY created_at DESC, campaign_id DESC
        LIMIT %(limit)s
        """,
        {"status": status, "at": after and after[0], "id": after and after[1], "limit": limit},
    )


def delete_campaign(tx: Transaction, campaign_id: UUID) -> None:
    """Remove a draft."""
    tx.execute("DELETE FROM campaign WHERE campaign_id = %(campaign_id)s", {"campaign_id": campaign_id})


def set_status(tx: Transaction, campaign_id: UUID, status: str, due_at: datetime | None = None) -> None:
    """The status of the campaign; `due_at` where the sweep has to start it."""
    tx.execute(
        """
        UPDATE campaign
        SET status = %(status)s, due_at = %(due_at)s, problem = NULL, version = version + 1, updated_at = now()
        WHERE campaign_id = %(campaign_id)s
        """,
        {"campaign_id": campaign_id, "status": status, "due_at": due_at},
    )


def set_problem(tx: Transaction, campaign_id: UUID, problem: str | None) -> None:
    """Say (or take back) why a campaign does not go on. No new version: nobody edited anything."""
    tx.execute(
        """
        UPDATE campaign SET problem = %(problem)s
        WHERE campaign_id = %(campaign_id)s AND problem IS DISTINCT FROM %(problem)s
        """,
        {"campaign_id": campaign_id, "problem": problem},
    )


def note_fallback(tx: Transaction, run_id: UUID, why: str) -> None:
    """Say that some of a run went out without its slot, and why. It stays, whatever the rest is like."""
    tx.execute(
        "UPDATE run SET recommend_fallback = %(why)s WHERE run_id = %(run_id)s AND recommend_fallback IS NULL",
        {"run_id": run_id, "why": why},
    )


def take_due(tx: Transaction) -> Row | None:
    """One campaign whose time has come, locked; None when there is none that nobody else is starting."""
    return tx.one(
        """
        SELECT * FROM campaign WHERE status = 'scheduled' AND due_at <= now()
        ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
        """
    )


def next_number(tx: Transaction, campaign_id: UUID) -> int:
    """The number of the campaign's next run."""
    found: int = tx.value(
        "SELECT coalesce(max(number), 0) + 1 FROM run WHERE campaign_id = %(campaign_id)s", {"campaign_id": campaign_id}
    )
    return found


def insert_run(tx: Transaction, run: Mapping[str, Any]) -> None:
    """A run with the campaign's settings as they are now."""
    tx.execute(
        """
        INSERT INTO run
            (run_id, campaign_id, number, status, channel, purpose, segment_id, template_id, template_version, subject,
             holdout_share, assignment_salt, recommend_n, recommend_slot, recommend_filter, attribution_days, replay,
             as_of, expires_at)
        VALUES
            (%(run_id)s, %(campaign_id)s, %(number)s, 'preparing', %(channel)s, %(purpose)s, %(segment_id)s,
             %(template_id)s, %(template_version)s, %(subject)s, %(holdout_share)s, %(assignment_salt)s,
             %(recommend_n)s, %(recommend_slot)s, %(recommend_filter)s, %(attribution_days)s, %(replay)s,
             %(as_of)s, %(expires_at)s)
        """,
        _row(run),
    )


def lock_preparing_run(tx: Transaction) -> Row | None:
    """A run whose audience is not frozen yet and that nobody else is freezing, locked."""
    return tx.one("SELECT * FROM run WHERE status = 'preparing' ORDER BY run_id LIMIT 1 FOR UPDATE SKIP LOCKED")


def set_run_status(tx: Transaction, run_id: UUID, status: str) -> None:
    """The status of a run; the time it ended where it has."""
    tx.execute(
        """
        UPDATE run
        SET status = %(status)s, finished_at = CASE WHEN %(status)s IN ('sent', 'cancelled') THEN now() END
        WHERE run_id = %(run_id)s
        """,
        {"run_id": run_id, "status": status},
    )


def latest_run(tx: Transaction, campaign_id: UUID, *, lock: bool = False) -> Row | None:
    """The campaign's last run, if it has begun."""
    query = "SELECT * FROM run WHERE campaign_id = %(campaign_id)s ORDER BY number DESC LIMIT 1"
    found = tx.one(query, {"campaign_id": campaign_id})
    if found is not None and lock:
        return tx.one("SELECT * FROM run WHERE run_id = %(run_id)s FOR UPDATE", {"run_id": found["run_id"]})
    return found


def find_run(tx: Transaction, run_id: UUID) -> Row | None:
    """One run."""
    return tx.one("SELECT * FROM run WHERE run_id = %(run_id)s", {"run_id": run_id})


def sending_runs(tx: Transaction) -> list[Row]:
    """The runs that may hand over now and have something due, transactional ones first."""
    return tx.all(
        """
        SELECT r.*, c.name AS campaign_name FROM run r JOIN campaign c USING (campaign_id)
        WHERE r.status = 'sending' AND EXISTS (
            SELECT FROM send s WHERE s.run_id = r.run_id AND s.state = 'pending' AND s.due_at <= now()
              AND (s.lease_until IS NULL OR s.lease_until < now()))
        ORDER BY r.purpose DESC, r.run_id
        """
    )


def finish_runs(tx: Transaction) -> list[Row]:
    """End the runs in which every recipient has a final state, and their campaigns."""
    return tx.all(
        """
        WITH done AS (
            UPDATE run r SET status = 'sent', finished_at = now()
            WHERE r.status IN ('sending', 'paused')
              AND NOT EXISTS (
                SELECT FROM send s WHERE s.run_id = r.run_id AND s.state = 'pending')
              AND NOT EXISTS (
                SELECT FROM send s WHERE s.run_id = r.run_id AND s.state = 'handing_over')
            RETURNING r.run_id, r.campaign_id
        )
        UPDATE campaign c
        SET status = 'sent', due_at = NULL, problem = NULL, version = version + 1, updated_at = now()
        FROM done WHERE c.campaign_id = done.campaign_id AND c.status IN ('sending', 'paused')
        RETURNING done.run_id, done.campaign_id
        """
    )


def drop_preparing_runs(tx: Transaction) -> None:
    """Forget runs whose audience was not frozen: nothing hangs on them, and resuming begins a new one."""
    tx.execute("DELETE FROM run WHERE status = 'preparing'")


def pause_sending_runs(tx: Transaction) -> None:
    """Hold all runs that hand over."""
    tx.execute("UPDATE run SET status = 'paused' WHERE status = 'sending'")


def pause_begun(tx: Transaction, problem: str) -> list[str]:
    """Hold all campaigns that have begun or should have by now, and say why; returns their names."""
    rows = tx.all(
        """
        UPDATE campaign
        SET status = 'paused', due_at = NULL, problem = %(problem)s, version = version + 1, updated_at = now()
        WHERE status IN ('preparing', 'sending') OR status = 'scheduled' AND due_at <= now()
        RETURNING name
        """,
        {"problem": problem},
    )
    return sorted(row["name"] for row in rows)


def segment_exists(tx: Transaction, segment_id: UUID) -> bool:
    """Whether segmentation publishes this segment."""
    return bool(
        tx.value(
            "SELECT true FROM segmentation_out.segments_v1 WHERE segment_id = %(segment_id)s",
            {"segment_id": segment_id},
        )
    )


def slot_exists(tx: Transaction, name: str) -> bool:
    """Whether recommend publishes this slot."""
    return bool(tx.value("SELECT true FROM recommend_out.slots_v1 WHERE name = %(name)s", {"name": name}))


def _row(values: Mapping[str, Any]) -> dict[str, Any]:
    return {**values, "recommend_filter": Jsonb(values["recommend_filter"])}
