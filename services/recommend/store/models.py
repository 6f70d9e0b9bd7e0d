"""The registry of published models, what to train from, and when."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray
from psycopg.rows import tuple_row

from services.recommend.domain.described import Described
from services.recommend.store import arrays
from shared import log
from shared.database import Transaction


class LineColumns(NamedTuple):
    """Columns of equal length: a 64-bit hash of the customer, item key, kind, quantity, microseconds since 2000."""

    customers: NDArray[Any]
    keys: NDArray[Any]
    kinds: NDArray[Any]
    quantities: NDArray[Any]
    occurred_at: NDArray[Any]


EPOCH = datetime.fromisoformat("2000-01-01T00:00:00+00:00")


def claim_training(tx: Transaction) -> bool:
    """Try to be the one trainer until this transaction ends, which may be idle meanwhile. False: another is at work."""
    tx.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    tx.execute("SET LOCAL statement_timeout = '30min'")
    return log.claim(tx, "trainer")


def lines_as_of(tx: Transaction, as_of: datetime) -> LineColumns:
    """Every line up to `as_of` whose customer and item are known, in the order of the log.

    Columns come as binary arrays for some ten thousand events at a time: a row for each line would cost more in the
    driver than the training itself.
    """
    chunks: list[tuple[bytes, ...]] = []
    with tx.connection.cursor(name="lines_as_of", row_factory=tuple_row) as cursor:
        cursor.itersize = 4
        cursor.execute(
            """
            SELECT array_send(array_agg(customer)), array_send(array_agg(item_key)), array_send(array_agg(kind)),
                   array_send(array_agg(quantity)), array_send(array_agg(occurred_at))
            FROM (SELECT position, uuid_hash_extended(customer_id, 0) AS customer, item_key, kind, quantity, occurred_at
                  FROM interaction
                  WHERE customer_id IS NOT NULL AND item_key IS NOT NULL AND occurred_at <= %(as_of)s
                  ORDER BY position, line) AS lines
            GROUP BY position / 16384
            ORDER BY position / 16384
            """,
            {"as_of": as_of},
            binary=True,
        )
        chunks.extend(cursor)
    columns = [
        np.concatenate([np.empty(0, dtype=kind), *(arrays.values(chunk[number], kind) for chunk in chunks)])
        for number, kind in enumerate((">i8", ">i4", ">i2", ">f4", ">i8"))
    ]
    return LineColumns(*columns)


def customers_by_country(tx: Transaction) -> dict[str, NDArray[Any]]:
    """The hashes (as in LineColumns) of the customers of each country, where it is known."""
    rows = tx.all(
        """
        SELECT upper(country) AS country, array_send(array_agg(uuid_hash_extended(customer_id, 0))) AS customers
        FROM profile_out.customers_v1
        WHERE country ~ '^[A-Za-z]{2}$'
        GROUP BY 1 ORDER BY 1
        """
    )
    return {row["country"]: arrays.values(row["customers"], ">i8") for row in rows}


def items(tx: Transaction) -> tuple[list[str], Described]:
    """The item ids in the order of their keys, and what the catalogue says of each."""
    rows = tx.all("SELECT item_id, name, category, brand FROM item ORDER BY item_key")
    names, paths, brands = ([row[column] for row in rows] for column in ("name", "category", "brand"))
    return [row["item_id"] for row in rows], Described(names, paths, brands)


@dataclass(frozen=True)
class Published:
    """One row of the registry. `path` None: its files are gone, or it never had any.

    `serving_since` None: it was tried and did not beat the champion. `published_at`: when its run ended.
    """

    version: str
    as_of: datetime
    log_position: int
    started_at: datetime
    published_at: datetime
    path: str | None
    manifest: dict[str, Any]
    serving_since: datetime | None = None


@dataclass(frozen=True)
class Training:
    """What was asked of the trainer, when it last began, and how it last failed."""

    requested_at: datetime | None
    started_at: datetime | None
    failed_at: datetime | None
    failure: str | None


def publish(tx: Transaction, model: Published) -> None:
    """Enter a complete artefact: from the commit on, where it has `serving_since`, processes take it up."""
    tx.execute(
        """
        INSERT INTO model (version, as_of, log_position, started_at, published_at, path, manifest, serving_since)
        VALUES (%(version)s, %(as_of)s, %(log_position)s, %(started_at)s, %(published_at)s, %(path)s,
                %(manifest)s::jsonb, %(serving_since)s)
        """,
        {**vars(model), "manifest": orjson.dumps(model.manifest).decode()},
    )


def retire(tx: Transaction, keep: int) -> list[str]:
    """Give up the files of all but the `keep` models that served last; returns the versions that stay."""
    rows = tx.all(
        """
        WITH kept AS (SELECT version FROM model WHERE path IS NOT NULL AND serving_since IS NOT NULL
                      ORDER BY serving_since DESC, version DESC LIMIT %(keep)s),
             gone AS (UPDATE model SET path = NULL WHERE path IS NOT NULL AND version NOT IN (SELECT version FROM kept))
        SELECT version FROM kept
        """,
        {"keep": keep},
    )
    return [row["version"] for row in rows]


def newest(tx: Transaction, refused: Collection[str] = ()) -> Published | None:
    """The champion: of the models that have their files and are none of the `refused` the one that took over last."""
    return tx.one(
        """
        SELECT version, as_of, log_position, started_at, published_at, path, manifest, serving_since
        FROM model
        WHERE path IS NOT NULL AND serving_since IS NOT NULL AND version <> ALL(%(refused)b::text[])
        ORDER BY serving_since DESC, version DESC LIMIT 1
        """,
        {"refused": list(refused)},
        into=Published,
    )


@dataclass(frozen=True)
class Champion:
    """A model that has served, since when last; `path` None: its files are gone."""

    version: str
    path: str | None
    serving_since: datetime


def champions(tx: Transaction) -> list[Champion]:
    """All that have served, in the order in which they took over."""
    return tx.all(
        """
        SELECT version, path, serving_since FROM model
        WHERE serving_since IS NOT NULL ORDER BY serving_since, version
        """,
        into=Champion,
    )


def models(tx: Transaction, before: str | None, limit: int) -> list[Published]:
    """Models, published or only tried, newest first; versions sort by the time they were made."""
    return tx.all(
        """
        SELECT version, as_of, log_position, started_at, published_at, path, manifest, serving_since
        FROM model
        WHERE %(before)s::text IS NULL OR version < %(before)s
        ORDER BY version DESC LIMIT %(limit)s
        """,
        {"before": before, "limit": limit},
        into=Published,
    )


def model(tx: Transaction, version: str) -> Published | None:
    """One entry of the registry."""
    return tx.one(
        """
        SELECT version, as_of, log_position, started_at, published_at, path, manifest, serving_since
        FROM model WHERE version = %(version)s
        """,
        {"version": version},
        into=Published,
    )


def serve(tx: Transaction, version: str, since: datetime) -> bool:
    """Let a model take over again. False: its files are gone, or it never served."""
    found = tx.execute(
        """
        UPDATE model SET serving_since = %(since)s
        WHERE version = %(version)s AND path IS NOT NULL AND serving_since IS NOT NULL
        """,
        {"version": version, "since": since},
    )
    return found.rowcount > 0


def training(tx: Transaction) -> Training:
    """The state of the trainer; a failure is told until a later run has published."""
    found = tx.one(
        """
        SELECT t.requested_at, greatest(t.failed_run, m.started_at) AS started_at,
               CASE WHEN t.failed_run > coalesce(m.started_at, '-infinity') THEN t.failed_at END AS failed_at,
               CASE WHEN t.failed_run > coalesce(m.started_at, '-infinity') THEN t.failure END AS failure
        FROM training t LEFT JOIN (SELECT started_at FROM model ORDER BY version DESC LIMIT 1) m ON true
        """,
        into=Training,
    )
    return found or Training(None, None, None, None)


def running_since(tx: Transaction) -> datetime | None:
    """Since when a trainer has held its claim; None while nobody trains."""
    found: datetime | None = tx.value(
        """
        SELECT a.xact_start FROM pg_locks l JOIN pg_stat_activity a USING (pid),
               hashtextextended(current_schema() || '/trainer', 0) AS claim
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND (l.classid::bigint << 32) | l.objid::bigint = claim
        """
    )
    return found


def request_training(tx: Transaction, at: datetime) -> None:
    """Ask for a model, whatever the rule of when one is due says."""
    tx.execute("UPDATE training SET requested_at = %(at)s", {"at": at})


def training_failed(tx: Transaction, began: datetime, at: datetime, failure: str) -> None:
    """Note that the run that began then has failed, and how."""
    tx.execute(
        "UPDATE training SET failed_run = %(began)s, failed_at = %(at)s, failure = %(failure)s",
        {"began": began, "at": at, "failure": failure},
    )


def serving_state(tx: Transaction) -> tuple[int, str | None, int]:
    """What the serving processes look at: the catalogue's version, the champion, and the version of all slots."""
    row = tx.one(
        """
        SELECT (SELECT position FROM log_head WHERE log = 'catalogue') AS catalogue,
               (SELECT version FROM model WHERE path IS NOT NULL AND serving_since IS NOT NULL
                ORDER BY serving_since DESC, version DESC LIMIT 1) AS model,
               (SELECT position FROM log_head WHERE log = 'slots') AS slots
        """
    )
    return (row["catalogue"], row["model"], row["slots"]) if row else (0, None, 0)
