"""The registry of published models, what to train from, and when."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from shared import log
from shared.database import Transaction

# A row of the binary COPY below: number of fields, then length and value of each, big-endian.
_LINE = np.dtype(
    [
        ("fields", ">i2"),
        *(("l1", ">i4"), ("customer", ">i8")),
        *(("l2", ">i4"), ("key", ">i4")),
        *(("l3", ">i4"), ("kind", ">i2")),
        *(("l4", ">i4"), ("quantity", ">f4")),
        *(("l5", ">i4"), ("occurred_at", ">i8")),
    ]
)
_HEADER = 19  # PGCOPY\n\377\r\n\0, flags, no extension
EPOCH = datetime.fromisoformat("2000-01-01T00:00:00+00:00")


def claim_training(tx: Transaction) -> bool:
    """Try to be the one trainer until this transaction ends, which may be idle meanwhile. False: another is at work."""
    tx.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    tx.execute("SET LOCAL statement_timeout = '30min'")
    return log.claim(tx, "trainer")


def lines_as_of(tx: Transaction, as_of: datetime) -> NDArray[Any]:
    """Every line up to `as_of` whose customer and item are known, as a structured array.

    Fields: customer (a 64-bit hash of the id), key, kind, quantity, occurred_at (microseconds since 2000).
    """
    blocks = bytearray()
    with (
        tx.connection.cursor() as cursor,
        cursor.copy(
            """
        COPY (SELECT uuid_hash_extended(customer_id, 0), item_key, kind, quantity, occurred_at
              FROM interaction
              WHERE customer_id IS NOT NULL AND item_key IS NOT NULL AND occurred_at <= %s
              ORDER BY position, line) TO STDOUT (FORMAT BINARY)
        """,
            (as_of,),
        ) as copy,
    ):
        for block in copy:
            blocks += block
    return np.frombuffer(blocks, dtype=_LINE, offset=_HEADER, count=(len(blocks) - _HEADER - 2) // _LINE.itemsize)


def item_ids(tx: Transaction) -> list[str]:
    """The item ids in the order of their keys."""
    rows = tx.all("SELECT item_id FROM item ORDER BY item_key")
    return [row["item_id"] for row in rows]


@dataclass(frozen=True)
class Published:
    """One row of the registry. `path` None: its files are gone."""

    version: str
    as_of: datetime
    log_position: int
    started_at: datetime
    published_at: datetime
    path: str | None
    manifest: dict[str, Any]


@dataclass(frozen=True)
class Training:
    """What was asked of the trainer, when it last began, and how it last failed."""

    requested_at: datetime | None
    started_at: datetime | None
    failed_at: datetime | None
    failure: str | None


def publish(tx: Transaction, model: Published) -> None:
    """Enter a complete artefact: from the commit on, processes take it up."""
    tx.execute(
        """
        INSERT INTO model (version, as_of, log_position, started_at, published_at, path, manifest)
        VALUES (%(version)s, %(as_of)s, %(log_position)s, %(started_at)s, %(published_at)s, %(path)s,
                %(manifest)s::jsonb)
        """,
        {**vars(model), "manifest": orjson.dumps(model.manifest).decode()},
    )


def retire(tx: Transaction, keep: int) -> list[str]:
    """Give up the files of all but the newest `keep` models; returns the versions that stay."""
    rows = tx.all(
        """
        WITH kept AS (SELECT version FROM model ORDER BY published_at DESC, version DESC LIMIT %(keep)s),
             gone AS (UPDATE model SET path = NULL WHERE version NOT IN (SELECT version FROM kept))
        SELECT version FROM kept
        """,
        {"keep": keep},
    )
    return [row["version"] for row in rows]


def newest(tx: Transaction, refused: Collection[str] = ()) -> Published | None:
    """The newest published model that still has its files and is none of the `refused`."""
    return tx.one(
        """
        SELECT version, as_of, log_position, started_at, published_at, path, manifest
        FROM model
        WHERE path IS NOT NULL AND version <> ALL(%(refused)b::text[])
        ORDER BY published_at DESC, version DESC LIMIT 1
        """,
        {"refused": list(refused)},
        into=Published,
    )


def models(tx: Transaction, before: str | None, limit: int) -> list[Published]:
    """Published models, newest first; versions sort by the time they were made."""
    return tx.all(
        """
        SELECT version, as_of, log_position, started_at, published_at, path, manifest
        FROM model
        WHERE %(before)s::text IS NULL OR version < %(before)s
        ORDER BY version DESC LIMIT %(limit)s
        """,
        {"before": before, "limit": limit},
        into=Published,
    )


def training(tx: Transaction) -> Training:
    """The state of the trainer."""
    found = tx.one("SELECT requested_at, started_at, failed_at, failure FROM training", into=Training)
    return found or Training(None, None, None, None)


def request_training(tx: Transaction, at: datetime) -> None:
    """Ask for a model, whatever the rule of when one is due says."""
    tx.execute("UPDATE training SET requested_at = %(at)s", {"at": at})


def training_began(tx: Transaction, at: datetime, *, failed_at: datetime | None = None, failure: str = "") -> None:
    """Note when a run began, and how it failed if it did."""
    tx.execute(
        "UPDATE training SET started_at = %(at)s, failed_at = %(failed_at)s, failure = %(failure)s",
        {"at": at, "failed_at": failed_at, "failure": failure or None},
    )


def serving_state(tx: Transaction) -> tuple[int, str | None]:
    """What the serving processes look at: the catalogue's version and the newest model's."""
    row = tx.one(
        """
        SELECT (SELECT position FROM log_head WHERE log = 'catalogue') AS catalogue,
               (SELECT max(version) FROM model WHERE path IS NOT NULL) AS model
        """
    )
    return (row["catalogue"], row["model"]) if row else (0, None)
