"""Attempts of late that failed, or are not known yet to have succeeded: by person and by address."""

from collections.abc import Mapping
from datetime import datetime

from shared.database import Transaction


def lock_subjects(tx: Transaction, subjects: Mapping[str, str]) -> None:
    """Let attempts against the same person or from the same address pass one by one, until the commit."""
    tx.execute(
        """
        SELECT pg_advisory_xact_lock(key)
        FROM (SELECT hashtextextended(subject, 0) AS key
              FROM unnest(%(subjects)s::text[]) AS given (subject)
              ORDER BY 1) AS ordered
        """,
        {"subjects": [f"{kind}:{subject}" for kind, subject in subjects.items()]},
    )


def count(tx: Transaction, subjects: Mapping[str, str], since: datetime) -> dict[str, int]:
    """How many there were since then, by kind of the subjects given."""
    rows = tx.all(
        """
        SELECT kind, count(*) AS failed
        FROM login_attempt
        JOIN unnest(%(kinds)s::text[], %(subjects)s::text[]) AS given (kind, subject) USING (kind, subject)
        WHERE at > %(since)s
        GROUP BY kind
        """,
        {"kinds": list(subjects), "subjects": list(subjects.values()), "since": since},
    )
    return {row["kind"]: row["failed"] for row in rows}


def add(tx: Transaction, subjects: Mapping[str, str], now: datetime) -> None:
    """Note one against each subject."""
    tx.execute(
        """
        INSERT INTO login_attempt (kind, subject, at)
        SELECT kind, subject, %(now)s FROM unnest(%(kinds)s::text[], %(subjects)s::text[]) AS given (kind, subject)
        """,
        {"kinds": list(subjects), "subjects": list(subjects.values()), "now": now},
    )


def clear(tx: Transaction, subjects: Mapping[str, str], now: datetime) -> None:
    """Somebody has got in: forget the person's failures, and of the address this one attempt, made at `now`."""
    tx.execute(
        """
        DELETE FROM login_attempt
        WHERE (kind = 'user' AND subject = %(user)s)
           OR (kind = 'address' AND subject = %(address)s AND at = %(now)s)
        """,
        {"user": subjects["user"], "address": subjects["address"], "now": now},
    )


def unlock(tx: Transaction, email_index: str) -> int:
    """Forget the failures of a person; returns how many there were."""
    return tx.execute(
        "DELETE FROM login_attempt WHERE kind = 'user' AND subject = %(user)s", {"user": email_index}
    ).rowcount


def prune(tx: Transaction, before: datetime) -> int:
    """Remove attempts that no longer count; returns how many went."""
    return tx.execute("DELETE FROM login_attempt WHERE at <= %(before)s", {"before": before}).rowcount
