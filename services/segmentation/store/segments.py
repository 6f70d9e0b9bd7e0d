"""Segments: their rules, versions, and how far their members are."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from shared.database import Transaction


@dataclass(frozen=True)
class Segment:
    """A segment as people edit it, with the state of its membership."""

    segment_id: UUID
    name: str
    description: str
    rule: dict[str, Any]
    version: int
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    size: int
    stale: bool
    refreshed_at: datetime | None
    error: str | None


class NameTakenError(Exception):
    """Another segment has this name."""

    code = "name_taken"


def insert(tx: Transaction, segment_id: UUID, name: str, description: str, rule: dict[str, Any]) -> None:
    """Add a segment, its members still to be found. Raises NameTakenError."""
    try:
        with tx.savepoint():
            tx.execute(
                """
                INSERT INTO segment (segment_id, name, description, rule, version)
                VALUES (%(segment_id)s, %(name)s, %(description)s, %(rule)s, 1)
                """,
                {"segment_id": segment_id, "name": name, "description": description, "rule": Jsonb(rule)},
            )
    except UniqueViolation as error:
        raise NameTakenError(f"there is already a segment called {name}") from error
    tx.execute("INSERT INTO segment_state (segment_id) VALUES (%(segment_id)s)", {"segment_id": segment_id})


def update(tx: Transaction, segment_id: UUID, name: str, description: str, rule: dict[str, Any]) -> None:
    """Change a segment; its version goes up. Raises NameTakenError."""
    try:
        with tx.savepoint():
            tx.execute(
                """
                UPDATE segment SET name = %(name)s, description = %(description)s, rule = %(rule)s,
                       version = version + 1, updated_at = now()
                WHERE segment_id = %(segment_id)s
                """,
                {"segment_id": segment_id, "name": name, "description": description, "rule": Jsonb(rule)},
            )
    except UniqueViolation as error:
        raise NameTakenError(f"there is already a segment called {name}") from error


def archive(tx: Transaction, segment_id: UUID) -> None:
    """Put a segment away; a refresh then empties it."""
    tx.execute(
        """
        UPDATE segment SET archived_at = now(), version = version + 1, updated_at = now()
        WHERE segment_id = %(segment_id)s
        """,
        {"segment_id": segment_id},
    )


def get(tx: Transaction, segment_id: UUID, *, lock: bool = False) -> Segment | None:
    """One segment, an archived one included; `lock` keeps others from changing it."""
    if lock:
        tx.execute("SELECT FROM segment WHERE segment_id = %(segment_id)s FOR UPDATE", {"segment_id": segment_id})
    return tx.one(_SELECT + "WHERE s.segment_id = %(segment_id)s", {"segment_id": segment_id}, into=Segment)


def active(tx: Transaction) -> list[Segment]:
    """All segments in use, oldest first."""
    return tx.all(_SELECT + "WHERE s.archived_at IS NULL ORDER BY s.segment_id", into=Segment)


def page(tx: Transaction, after: UUID | None, limit: int, *, archived: bool) -> list[Segment]:
    """Segments in order of id, `limit` after the one named."""
    return tx.all(
        _SELECT
        + """
        WHERE (s.archived_at IS NOT NULL) = %(archived)s
          AND (%(after)s::uuid IS NULL OR s.segment_id > %(after)s)
        ORDER BY s.segment_id LIMIT %(limit)s
        """,
        {"archived": archived, "after": after, "limit": limit},
        into=Segment,
    )


def stale_ids(tx: Transaction) -> list[UUID]:
    """Segments whose members are to be found anew; those that failed lately wait a minute."""
    rows = tx.all(
        """
        SELECT segment_id FROM segment_state
        WHERE stale AND (failed_at IS NULL OR failed_at < now() - interval '1 minute')
        ORDER BY refreshed_at NULLS FIRST, segment_id
        """
    )
    return [row["segment_id"] for row in rows]


def mark_stale(tx: Transaction, segment_ids: Collection[UUID]) -> None:
    """Have the members of these segments found anew."""
    tx.execute(
        "UPDATE segment_state SET stale = true, failed_at = NULL WHERE segment_id = ANY(%(segment_ids)s)",
        {"segment_ids": list(segment_ids)},
    )


def mark_failed(tx: Transaction, segment_id: UUID, error: str) -> None:
    """Note that a segment could not be evaluated; it stays stale and is tried again."""
    tx.execute(
        """
        UPDATE segment_state SET stale = true, error = %(error)s, failed_at = now()
        WHERE segment_id = %(segment_id)s
        """,
        {"segment_id": segment_id, "error": error},
    )


def mark_refreshed(tx: Transaction, segment_id: UUID, version: int, as_of: datetime) -> None:
    """The members of this segment are those of this version of its rule."""
    tx.execute(
        """
        UPDATE segment_state
        SET stale = false, error = NULL, failed_at = NULL, version = %(version)s, refreshed_at = %(as_of)s
        WHERE segment_id = %(segment_id)s
        """,
        {"segment_id": segment_id, "version": version, "as_of": as_of},
    )


def mark_all_refreshed(tx: Transaction, as_of: datetime) -> None:
    """The members of every segment have been found as of then; those that wait to be found anew still wait."""
    tx.execute("UPDATE segment_state SET refreshed_at = %(as_of)s WHERE NOT stale", {"as_of": as_of})


_SELECT: Final = """
    SELECT s.segment_id, s.name, s.description, s.rule, s.version, s.created_at, s.updated_at, s.archived_at,
           t.size, t.stale, t.refreshed_at, t.error
    FROM segment AS s
    JOIN segment_state AS t USING (segment_id)
"""
