"""From the intake into the log. The rows of one round wait in a temporary table, `arriving`, which ends with it."""

from datetime import datetime

from shared.database import Row, Transaction

BYTES_A_ROUND = 64 * 1024 * 1024


def take(tx: Transaction, rows: int) -> int:
    """Move the oldest rows of the intake (at most `rows`, and some 64 MB) into `arriving`; returns how many."""
    tx.execute("CREATE TEMPORARY TABLE IF NOT EXISTS arriving (LIKE intake) ON COMMIT DELETE ROWS")
    tx.execute("DELETE FROM arriving")  # a test's transaction holds several rounds
    last = tx.value(
        """
        SELECT max(id) FROM (
            SELECT id, sum(size) OVER (ORDER BY id) - size AS bytes_before
            FROM (SELECT id, pg_column_size(payload) AS size FROM intake ORDER BY id LIMIT %(rows)s) AS oldest
        ) AS sized
        WHERE bytes_before < %(bytes)s
        """,
        {"rows": rows, "bytes": BYTES_A_ROUND},
    )
    if last is None:
        return 0
    return tx.execute(
        """
        WITH taken AS (DELETE FROM intake WHERE id <= %(last)s RETURNING *)
        INSERT INTO arriving SELECT * FROM taken
        """,
        {"last": last},
    ).rowcount


def drop_repeats(tx: Transaction, now: datetime) -> int:
    """Remove rows whose message has been seen, in this round or before; returns how many went."""
    return tx.execute(
        """
        WITH fresh AS (
            INSERT INTO message_seen (message_key, seen_at)
            SELECT DISTINCT message_key, %(now)s::timestamptz FROM arriving
            ON CONFLICT (message_key) DO NOTHING
            RETURNING message_key
        ), first AS (
            SELECT min(a.id) AS id FROM arriving a JOIN fresh USING (message_key) GROUP BY message_key
        )
        DELETE FROM arriving a WHERE NOT EXISTS (SELECT FROM first WHERE first.id = a.id)
        """,
        {"now": now},
    ).rowcount


def name_identities_by_id(tx: Transaction) -> None:
    """Rows that name one of our identities by its id get that identity's kind and value."""
    tx.execute(
        """
        UPDATE arriving a SET own_kind = i.kind, own_lookup = i.lookup
        FROM identity i
        WHERE a.own_kind = 'identity' AND i.identity_id = a.own_lookup::uuid
        """
    )


def drop_nameless(tx: Transaction) -> list[Row]:
    """Remove and return the rows that name an identity we do not have."""
    return tx.all("DELETE FROM arriving WHERE own_kind = 'identity' RETURNING *")


def publish(tx: Transaction, first: int) -> int:
    """Put the round into the log from position `first` on, in the order of arrival; returns how many entries.

    Also keeps when each customer was first and last seen.
    """
    return int(
        tx.value(
            """
            WITH placed AS (
                INSERT INTO event_log (
                    position, message_id, type, event, identity_id, occurred_at, received_at, imported, trusted, source,
                    payload
                )
                SELECT %(first)s - 1 + row_number() OVER (ORDER BY a.id), a.message_id, a.type, a.event, i.identity_id,
                       a.occurred_at, a.received_at, a.imported, a.trusted, a.source, a.payload
                FROM arriving a JOIN identity i ON i.kind = a.own_kind AND i.lookup = a.own_lookup
                RETURNING identity_id, occurred_at
            ), seen AS (
                INSERT INTO customer_seen (customer_id, first_seen_at, last_seen_at)
                SELECT i.customer_id, min(p.occurred_at), max(p.occurred_at)
                FROM placed p JOIN identity i USING (identity_id)
                GROUP BY i.customer_id
                ON CONFLICT (customer_id) DO UPDATE SET
                    first_seen_at = least(customer_seen.first_seen_at, excluded.first_seen_at),
                    last_seen_at = greatest(customer_seen.last_seen_at, excluded.last_seen_at)
                WHERE excluded.first_seen_at < customer_seen.first_seen_at
                   OR excluded.last_seen_at > customer_seen.last_seen_at
            )
            SELECT count(*) FROM placed
            """,
            {"first": first},
        )
    )


def waiting(tx: Transaction) -> int:
    """How many rows of this round are still to be published."""
    return int(tx.value("SELECT count(*) FROM arriving"))


def identifies(tx: Transaction) -> list[Row]:
    """What the identify events of this round say of whom, in the order of arrival."""
    return tx.all(
        """
        SELECT i.identity_id, a.occurred_at, a.trusted, a.payload -> 'traits' AS traits,
               a.payload -> 'context' AS context
        FROM arriving a JOIN identity i ON i.kind = a.own_kind AND i.lookup = a.own_lookup
        WHERE a.type = 'identify'
        ORDER BY a.id
        """
    )


def withdrawals(tx: Transaction) -> list[Row]:
    """Events of servers by which somebody refuses further marketing mail (Segment's e-mail events)."""
    return tx.all(
        """
        SELECT i.identity_id, a.occurred_at, a.event, a.source, a.message_id
        FROM arriving a JOIN identity i ON i.kind = a.own_kind AND i.lookup = a.own_lookup
        WHERE a.type = 'track' AND a.trusted AND a.event IN ('Unsubscribed', 'Email Marked as Spam')
        ORDER BY a.id
        """
    )


def drop_all(tx: Transaction) -> list[Row]:
    """Remove and return the round."""
    return tx.all("DELETE FROM arriving RETURNING *")


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
