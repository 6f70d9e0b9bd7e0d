"""The harness's own record, outside the platform: what was offered and acknowledged, what mail arrived, which faults.

SQLite in a file of its own. What the platform says is counted against this, never against the platform itself.
"""

import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE event (
    message_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    user_id TEXT,
    order_id TEXT,
    amount_minor INTEGER,
    lines INTEGER NOT NULL,
    offered_at REAL NOT NULL,
    acknowledged_at REAL
);
CREATE TABLE mail (
    number INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL,
    recipient TEXT NOT NULL,
    campaign_id TEXT NOT NULL,
    connection INTEGER NOT NULL,
    accepted_at REAL NOT NULL,
    answered INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE campaign (campaign_id TEXT PRIMARY KEY, purpose TEXT NOT NULL, people INTEGER NOT NULL);
CREATE TABLE refusal (at REAL NOT NULL, status INTEGER NOT NULL, answer TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Offered:
    """One event as the client sends it. `order_id` and `amount_minor`: of an order; `lines`: products named."""

    message_id: str
    name: str
    user_id: str | None = None
    order_id: str | None = None
    amount_minor: int | None = None
    lines: int = 0


class Record:
    """Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;" + SCHEMA)
        self._lock = threading.Lock()
        self.answered = 0  # messages the sink has said 250 to

    def offer(self, events: Iterable[Offered]) -> None:
        """These are about to be sent, for the first time."""
        now = time.time()
        with self._lock:
            self._connection.executemany(
                "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
                [
                    (event.message_id, event.name, event.user_id, event.order_id, event.amount_minor, event.lines, now)
                    for event in events
                ],
            )

    def acknowledge(self, message_ids: Sequence[str]) -> None:
        """The collector answered 200 for these: from here on it may not lose them."""
        now = time.time()
        with self._lock:
            self._connection.executemany(
                "UPDATE event SET acknowledged_at = ? WHERE message_id = ?", [(now, name) for name in message_ids]
            )

    def refused(self, status: int, answer: str) -> None:
        """The platform refused good events: a violation."""
        with self._lock:
            self._connection.execute("INSERT INTO refusal VALUES (?, ?, ?)", (time.time(), status, answer[:500]))

    def launched(self, campaign_id: str, purpose: str, people: int) -> None:
        """A campaign to so many people is about to be scheduled."""
        with self._lock:
            self._connection.execute("INSERT INTO campaign VALUES (?, ?, ?)", (campaign_id, purpose, people))

    def accept(self, message_id: str, recipient: str, campaign_id: str, connection: int) -> int:
        """The mail server has a whole message and takes responsibility for it; returns its number."""
        with self._lock:
            cursor = self._connection.execute(
                "INSERT INTO mail (message_id, recipient, campaign_id, connection, accepted_at) VALUES (?, ?, ?, ?, ?)",
                (message_id, recipient, campaign_id, connection, time.time()),
            )
            return int(cursor.lastrowid or 0)

    def answer(self, number: int) -> None:
        """The sender was told so."""
        with self._lock:
            self._connection.execute("UPDATE mail SET answered = 1 WHERE number = ?", (number,))
            self.answered += 1

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """All rows of a query over the record."""
        with self._lock:
            return self._connection.execute(query, parameters).fetchall()

    def value(self, query: str, *parameters: Any) -> Any:
        """The first value of a query over the record."""
        return self.rows(query, *parameters)[0][0]

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
