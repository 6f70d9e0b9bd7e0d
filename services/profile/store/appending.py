"""From the intake into the log. What is known of the rows of one round, but not their payload, waits in a temporary
table, `arriving`, which ends with the transaction.

Temporary tables have no statistics. So identities are looked up row by row through their index (LATERAL … OFFSET 0
keeps the planner from joining the whole table instead).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.database import Row, Transaction

BYTES_A_ROUND: Final = 64 * 1024 * 1024


@dataclass(frozen=True)
class Staged:
    """What a round has: rows `taken`, those that are no repeats, and how many of these need which step."""

    taken: int
    fresh: int
    unnamed: int
    unvouched: int
    claiming: int
    identifying: int
    withdrawing: int


def last_due(tx: Transaction, rows: int) -> int | None:
    """The id up to which a round goes: at most `rows` rows, and some 64 MB. None: the intake is empty."""
    last: int | None = tx.value(
        """
        SELECT max(id) FROM (
            SELECT id, sum(size) OVER (ORDER BY id) - size AS bytes_before
            FROM (SELECT id, pg_column_size(payload) AS size FROM intake ORDER BY id LIMIT %(rows)s) AS oldest
        ) AS sized
        WHERE bytes_before < %(bytes)s
        """,
        {"rows": rows, "bytes": BYTES_A_ROUND},
    )
    return last


def name_by_id(tx: Transaction, last: int) -> list[Row]:
    """Rows that name one of our identities by its id get its kind and value; the others are removed and returned."""
    due = {"last": last}
    if not tx.value("SELECT EXISTS (SELECT FROM intake WHERE id <= %(last)s AND own_kind = 'identity')", due):
        return []
    tx.execute(
        """
        UPDATE intake SET own_kind = i.kind, own_lookup = i.lookup
        FROM identity i
        WHERE id <= %(last)s AND own_kind = 'identity'
          AND i.identity_id = CASE WHEN own_kind = 'identity' THEN own_lookup::uuid END
        """,
        due,
    )
    return tx.all("DELETE FROM intake WHERE id <= %(last)s AND own_kind = 'identity' RETURNING *", due)


def stage(tx: Transaction, last: int, now: datetime) -> Staged:
    """Number the rows of the intake up to `last` that are no repeats, in `arriving`, with the identities we know.

    A message is a repeat if it has been seen before, or earlier in this round. Nothing is joined here: the intake is
    empty whenever it is analysed in a quiet moment, and a planner that expects one row compares all of them with all.
    """
    tx.execute(
        """
        CREATE TEMPORARY TABLE IF NOT EXISTS arriving (
            id bigint, n int, received_at timestamptz, key_id uuid, source text, trusted boolean, imported boolean,
            message_key uuid, message_id text, type text, event text, occurred_at timestamptz, own_kind text,
            own_lookup text, own_sealed text, claims jsonb, identity_id uuid, vouched boolean
        ) ON COMMIT DELETE ROWS
        """
    )
    tx.execute("DELETE FROM arriving")  # a test's transaction holds several rounds
    tx.execute(
        """
        WITH due AS (
            SELECT id, received_at, key_id, source, trusted, imported, message_key, message_id, type, event,
                   occurred_at, own_kind, own_lookup, own_sealed, claims,
                   row_number() OVER (PARTITION BY message_key ORDER BY id) = 1 AS is_first
            FROM intake WHERE id <= %(last)s
        ), judged AS (
            SELECT d.*, d.is_first AND s.seen IS NULL AS is_fresh, i.identity_id, i.vouched
            FROM due d
            LEFT JOIN LATERAL (
                SELECT true AS seen FROM message_seen WHERE message_key = d.message_key OFFSET 0
            ) AS s ON true
            LEFT JOIN LATERAL (
                SELECT identity_id, vouched FROM identity WHERE kind = d.own_kind AND lookup = d.own_lookup OFFSET 0
            ) AS i ON true
        )
        INSERT INTO arriving
        SELECT id, CASE WHEN is_fresh THEN count(*) FILTER (WHERE is_fresh) OVER (ORDER BY id) END, received_at, key_id,
               source, trusted, imported, message_key, message_id, type, event, occurred_at, own_kind, own_lookup,
               own_sealed, claims, identity_id, vouched
        FROM judged
        """,
        {"last": last},
    )
    # One appender at a time: nobody else can have put them there meanwhile. In order, they lie closer together.
    tx.execute(
        """
        INSERT INTO message_seen (message_key, seen_at)
        SELECT message_key, %(now)s FROM arriving WHERE n IS NOT NULL ORDER BY message_key
        """,
        {"now": now},
    )
    return tx.all(
        """
        SELECT count(*) AS taken, count(n) AS fresh,
               count(*) FILTER (WHERE n IS NOT NULL AND identity_id IS NULL) AS unnamed,
               count(*) FILTER (WHERE n IS NOT NULL AND trusted AND NOT vouched) AS unvouched,
               count(*) FILTER (WHERE n IS NOT NULL AND claims IS NOT NULL) AS claiming,
               count(*) FILTER (WHERE n IS NOT NULL AND type = 'identify') AS identifying,
               count(*) FILTER (
                   WHERE n IS NOT NULL AND type = 'track' AND trusted
                     AND event IN ('Unsubscribed', 'Email Marked as Spam')
               ) AS withdrawing
        FROM arriving
        """,
        into=Staged,
    )[0]


def settle(tx: Transaction) -> None:
    """Give rows their identity whose identity has been made since they were staged."""
    tx.execute(
        """
        UPDATE arriving a SET identity_id = (
            SELECT i.identity_id FROM identity i WHERE i.kind = a.own_kind AND i.lookup = a.own_lookup
        )
        WHERE n IS NOT NULL AND identity_id IS NULL
        """
    )


def publish(tx: Transaction, first: int) -> int:
    """Move the round from the intake into the log, from position `first` on; returns how many entries it got."""
    return tx.execute(
        """
        WITH taken AS (
            DELETE FROM intake i USING arriving a WHERE i.id = a.id
            RETURNING a.n, a.message_id, a.type, a.event, a.identity_id, a.occurred_at, a.received_at, a.imported,
                      a.trusted, a.source, i.payload
        )
        INSERT INTO event_log (
            position, message_id, type, event, identity_id, occurred_at, received_at, imported, trusted, source, payload
        )
        SELECT %(first)s - 1 + n, message_id, type, event, identity_id, occurred_at, received_at, imported, trusted,
               source, payload
        FROM taken
        WHERE n IS NOT NULL
        """,
        {"first": first},
    ).rowcount


def keep_seen(tx: Transaction) -> None:
    """When the customers of this round were first and last seen."""
    tx.execute(
        """
        INSERT INTO customer_seen (customer_id, first_seen_at, last_seen_at)
        SELECT i.customer_id, min(a.first_at), max(a.last_at)
        FROM (
            SELECT identity_id, min(occurred_at) AS first_at, max(occurred_at) AS last_at
            FROM arriving WHERE n IS NOT NULL GROUP BY identity_id
        ) AS a
        JOIN LATERAL (SELECT customer_id FROM identity WHERE identity_id = a.identity_id OFFSET 0) AS i ON true
        GROUP BY i.customer_id
        ON CONFLICT (customer_id) DO UPDATE SET
            first_seen_at = least(customer_seen.first_seen_at, excluded.first_seen_at),
            last_seen_at = greatest(customer_seen.last_seen_at, excluded.last_seen_at)
        WHERE excluded.first_seen_at < customer_seen.first_seen_at
           OR excluded.last_seen_at > customer_seen.last_seen_at
        """
    )


def identifies(tx: Transaction) -> list[Row]:
    """What the identify events of this round say of whom, in the order of arrival."""
    return tx.all(
        """
        SELECT a.identity_id, a.occurred_at, a.trusted, i.payload -> 'traits' AS traits,
               i.payload -> 'context' AS context
        FROM arriving a JOIN LATERAL (SELECT payload FROM intake WHERE id = a.id OFFSET 0) AS i ON true
        WHERE a.n IS NOT NULL AND a.type = 'identify'
        ORDER BY a.n
        """
    )


def withdrawals(tx: Transaction) -> list[Row]:
    """Events of servers by which somebody refuses further marketing mail (Segment's e-mail events)."""
    return tx.all(
        """
        SELECT identity_id, occurred_at, event, source, message_id
        FROM arriving
        WHERE n IS NOT NULL AND type = 'track' AND trusted AND event IN ('Unsubscribed', 'Email Marked as Spam')
        ORDER BY n
        """
    )


def drop_first(tx: Transaction) -> list[Row]:
    """Remove and return the oldest row of the intake."""
    return tx.all("DELETE FROM intake WHERE id = (SELECT min(id) FROM intake) RETURNING *")


def forget_seen(tx: Transaction, before: datetime, limit: int) -> int:
    """Forget at most `limit` messages seen before an instant; returns how many."""
    return tx.execute(
        """
        DELETE FROM message_seen WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM message_seen WHERE seen_at < %(before)s LIMIT %(limit)s
        ))
        """,
        {"before": before, "limit": limit},
    ).rowcount
