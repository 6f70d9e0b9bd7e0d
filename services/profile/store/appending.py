"""From the intake into the log. What is known of the rows of a round waits in a temporary table, `arriving`, which ends
with the transaction; what they say themselves stays in the intake until they move.

Temporary tables have no statistics. So rows are looked up one by one through their index (LATERAL … OFFSET 0 keeps the
planner from joining the whole table instead, and begin() from reading the whole table for each row).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.profile.store.intake import FIRST_IMPORTED
from shared.database import Row, Transaction

BYTES_A_ROUND: Final = 64 * 1024 * 1024


@dataclass(frozen=True)
class Lane:
    """A range of ids of the intake, `after` < id <= `last`, that is appended in its order and by itself."""

    after: int
    last: int


# Imports have ids from here on, so that what happens now never stands behind them.
LIVE: Final = Lane(0, FIRST_IMPORTED - 1)
IMPORTED: Final = Lane(FIRST_IMPORTED - 1, 2**63 - 1)


@dataclass(frozen=True)
class Staged:
    """What a round has: rows `taken`, those that are no repeats, and how many of these need which step.

    `unnamed`, `unvouched`: whose own identity nobody, or no server, has named before; `strange`, `unproven`: the same
    of what they claim besides; `undecided`: it may have to be decided whether a claim is believed.
    """

    taken: int
    fresh: int
    unnamed: int
    unvouched: int
    strange: int
    unproven: int
    undecided: int
    identifying: int
    withdrawing: int


@dataclass(frozen=True)
class Due:
    """What a round takes: a part of a lane; whether some of its rows name an identity by its id."""

    part: Lane
    by_id: bool


def begin(tx: Transaction) -> None:
    """Have this round's statements go through indexes.

    Statements are planned once and kept. Planned in a quiet moment, when the intake has a page or none, they would read
    all of it for each row of the next burst.
    """
    tx.execute("SET LOCAL enable_seqscan = off")


def due(tx: Transaction, lane: Lane, rows: int) -> Due | None:
    """The next round of a lane: at most `rows` rows, and some 64 MB. None: the lane is empty."""
    oldest = tx.one(
        """
        SELECT max(id) AS last, bool_or(own_kind = 'identity') AS by_id, sum(size) AS bytes
        FROM (
            SELECT id, own_kind, pg_column_size(payload) AS size FROM intake
            WHERE id > %(after)s AND id <= %(last)s ORDER BY id LIMIT %(rows)s
        ) AS oldest
        """,
        {"rows": rows, **vars(lane)},
    )
    if oldest is None or oldest["last"] is None:
        return None
    last = oldest["last"] if oldest["bytes"] <= BYTES_A_ROUND else _last_within(tx, lane, rows)
    return Due(Lane(lane.after, last), oldest["by_id"])


def _last_within(tx: Transaction, lane: Lane, rows: int) -> int:
    last: int = tx.value(
        """
        SELECT max(id) FROM (
            SELECT id, sum(size) OVER (ORDER BY id) - size AS bytes_before
            FROM (
                SELECT id, pg_column_size(payload) AS size FROM intake
                WHERE id > %(after)s AND id <= %(last)s ORDER BY id LIMIT %(rows)s
            ) AS oldest
        ) AS sized
        WHERE bytes_before < %(bytes)s
        """,
        {"rows": rows, "bytes": BYTES_A_ROUND, **vars(lane)},
    )
    return last


def name_by_id(tx: Transaction, part: Lane) -> list[Row]:
    """Rows that name one of our identities by its id get its kind and value; the others are removed and returned."""
    due = vars(part)
    tx.execute(
        """
        UPDATE intake SET own_kind = i.kind, own_lookup = i.lookup
        FROM identity i
        WHERE id > %(after)s AND id <= %(last)s AND own_kind = 'identity'
          AND i.identity_id = CASE WHEN own_kind = 'identity' THEN own_lookup::uuid END
        """,
        due,
    )
    return tx.all(
        "DELETE FROM intake WHERE id > %(after)s AND id <= %(last)s AND own_kind = 'identity' RETURNING *", due
    )


def stage(tx: Transaction, part: Lane, now: datetime) -> Staged:
    """Number the rows of this part of the intake that are no repeats, in `arriving`, with the identities we know."""
    tx.execute(
        """
        CREATE TEMPORARY TABLE IF NOT EXISTS arriving (
            id bigint, n int, type text, trusted boolean, withdrawing boolean, occurred_at timestamptz,
            identity_id uuid, customer_id uuid, vouched boolean, strange boolean, unproven boolean, undecided boolean
        ) ON COMMIT DELETE ROWS
        """
    )
    tx.execute("DELETE FROM arriving")  # a test's transaction holds several rounds
    tx.execute(_STAGE, {"now": now, **vars(part)})
    return tx.all(
        """
        SELECT count(*) AS taken, count(n) AS fresh,
               count(*) FILTER (WHERE n IS NOT NULL AND identity_id IS NULL) AS unnamed,
               count(*) FILTER (WHERE n IS NOT NULL AND trusted AND NOT vouched) AS unvouched,
               count(*) FILTER (WHERE strange) AS strange, count(*) FILTER (WHERE unproven) AS unproven,
               count(*) FILTER (WHERE undecided) AS undecided,
               count(*) FILTER (WHERE n IS NOT NULL AND type = 'identify') AS identifying,
               count(*) FILTER (WHERE n IS NOT NULL AND withdrawing) AS withdrawing
        FROM arriving
        """,
        into=Staged,
    )[0]


# A message is a repeat if it has been seen before, or earlier in this round: the first of those whose key could be kept
# is none. What was kept is laid beside what is due and sorted, not joined: the intake is empty whenever it is analysed
# in a quiet moment, and a planner that expects one row compares all of them with all.
_STAGE: Final = """
    WITH due AS MATERIALIZED (
        SELECT id, message_key, type, trusted, occurred_at, own_kind, own_lookup, claims,
               type = 'track' AND trusted AND event IN ('Unsubscribed', 'Email Marked as Spam') AS withdrawing
        FROM intake WHERE id > %(after)s AND id <= %(last)s
    ), kept AS (
        INSERT INTO message_seen (message_key, seen_at)
        SELECT message_key, %(now)s FROM due ORDER BY message_key
        ON CONFLICT DO NOTHING
        RETURNING message_key
    ), judged AS (
        SELECT *, bool_or(id IS NULL) OVER same AND row_number() OVER same = 1 AS is_fresh
        FROM (
            SELECT * FROM due
            UNION ALL
            SELECT NULL, message_key, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM kept
        ) AS beside
        WINDOW same AS (PARTITION BY message_key ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
    )
    INSERT INTO arriving
    SELECT j.id, CASE WHEN is_fresh THEN count(*) FILTER (WHERE is_fresh) OVER (ORDER BY j.id) END, type, trusted,
           withdrawing, occurred_at, own.identity_id, own.customer_id, own.vouched, c.strange, c.unproven,
           c.undecided OR (is_fresh AND claims IS NOT NULL AND own.identity_id IS NULL)
    FROM judged j
    LEFT JOIN LATERAL (
        SELECT identity_id, customer_id, vouched FROM identity WHERE kind = own_kind AND lookup = own_lookup OFFSET 0
    ) AS own ON true
    LEFT JOIN LATERAL (
        SELECT bool_or(other.identity_id IS NULL) AS strange, bool_or(trusted AND NOT other.vouched) AS unproven,
               bool_or(type = 'alias' OR link.live IS NULL OR (trusted AND NOT link.proved)) AS undecided
        FROM jsonb_array_elements(claims) AS claim
        LEFT JOIN LATERAL (
            SELECT identity_id, vouched FROM identity WHERE kind = claim ->> 0 AND lookup = claim ->> 1 OFFSET 0
        ) AS other ON true
        LEFT JOIN LATERAL (
            SELECT live, trusted AS proved FROM identity_link
            WHERE a = least(own.identity_id, other.identity_id) AND b = greatest(own.identity_id, other.identity_id)
            OFFSET 0
        ) AS link ON true
        WHERE is_fresh AND claims IS NOT NULL
    ) AS c ON true
    WHERE j.id IS NOT NULL
"""


def settle(tx: Transaction) -> None:
    """Give rows their identity whose identity has been made since they were staged."""
    tx.execute(
        """
        UPDATE arriving SET (identity_id, customer_id) = (
            SELECT i.identity_id, i.customer_id
            FROM intake r JOIN identity i ON i.kind = r.own_kind AND i.lookup = r.own_lookup
            WHERE r.id = arriving.id
        )
        WHERE n IS NOT NULL AND identity_id IS NULL
        """
    )


def reassign(tx: Transaction, moved: Mapping[UUID, UUID]) -> None:
    """Give rows the customers that their identities (identity -> customer) have been moved to since."""
    tx.execute(
        """
        UPDATE arriving SET customer_id = moved.customer_id
        FROM unnest(%(ids)s::uuid[], %(customers)s::uuid[]) AS moved (identity_id, customer_id)
        WHERE arriving.identity_id = moved.identity_id
        """,
        {"ids": list(moved), "customers": list(moved.values())},
    )


def publish(tx: Transaction, first: int) -> int:
    """Move the round from the intake into the log, from position `first` on; returns how many entries it got."""
    return tx.execute(
        """
        WITH taken AS (
            DELETE FROM intake i USING arriving a WHERE i.id = a.id
            RETURNING a.n, i.message_id, i.type, i.event, a.identity_id, i.occurred_at, i.received_at, i.imported,
                      i.trusted, i.source, i.payload
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
        SELECT customer_id, min(occurred_at), max(occurred_at) FROM arriving WHERE n IS NOT NULL GROUP BY customer_id
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
        SELECT a.identity_id, a.occurred_at, i.event, i.source, i.message_id
        FROM arriving a
        JOIN LATERAL (SELECT event, source, message_id FROM intake WHERE id = a.id OFFSET 0) AS i ON true
        WHERE a.n IS NOT NULL AND a.withdrawing
        ORDER BY a.n
        """
    )


def drop_first(tx: Transaction, lane: Lane) -> list[Row]:
    """Remove and return the oldest row of a lane."""
    return tx.all(
        """
        DELETE FROM intake WHERE id = (SELECT min(id) FROM intake WHERE id > %(after)s AND id <= %(last)s)
        RETURNING *
        """,
        vars(lane),
    )


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
