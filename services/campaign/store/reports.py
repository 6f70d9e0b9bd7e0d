"""Sums for reports. Each is one statement over a run; nothing is pulled out person by person."""

from datetime import datetime
from typing import Final, LiteralString
from uuid import UUID

from shared.database import Row, Transaction

# The people of each arm, and their purchases within the window, net of refunds; an order given back whole is none.
_PEOPLE: Final[LiteralString] = """
        WITH person AS (
            SELECT customer_id, CASE WHEN min(arm) = max(arm) THEN min(arm) ELSE 'both' END AS arm
            FROM send WHERE run_id = %(run_id)s AND arm IS NOT NULL GROUP BY customer_id
        ), bought AS (
            SELECT p.customer_id, p.ordered_at, p.revenue_minor AS gross_minor,
                   p.revenue_minor - least(p.revenue_minor, coalesce((
                       SELECT sum(coalesce(r.amount_minor, p.revenue_minor))
                       FROM refund r
                       WHERE r.order_id = p.order_id AND coalesce(r.currency, p.currency) = p.currency
                   ), 0)) AS net_minor
            FROM purchase p
            WHERE p.customer_id IN (SELECT customer_id FROM person)
              AND p.ordered_at >= %(start)s AND p.ordered_at < %(end)s AND p.currency = %(currency)s
        )
        """


def reactions(tx: Transaction, run_id: UUID) -> dict[str, int]:
    """How many messages of the run had each kind of outcome, bots left out; bots' under `bot_<kind>`."""
    rows = tx.all(
        """
        SELECT CASE WHEN o.bot IS NULL THEN o.kind ELSE 'bot_' || o.kind END AS kind, count(DISTINCT o.send_id) AS n
        FROM outcome o JOIN send s USING (send_id) WHERE s.run_id = %(run_id)s GROUP BY 1
        """,
        {"run_id": run_id},
    )
    return {row["kind"]: row["n"] for row in rows}


def links(tx: Transaction, run_id: UUID, limit: int = 50) -> list[Row]:
    """The links of the run's messages by the people who clicked them."""
    return tx.all(
        """
        SELECT o.link_number, o.link_url, count(DISTINCT o.send_id) AS people, count(*) AS clicks
        FROM outcome o JOIN send s USING (send_id)
        WHERE s.run_id = %(run_id)s AND o.kind = 'clicked' AND o.bot IS NULL
        GROUP BY o.link_number, o.link_url ORDER BY people DESC, o.link_number, o.link_url LIMIT %(limit)s
        """,
        {"run_id": run_id, "limit": limit},
    )


def interruptions(tx: Transaction, run_id: UUID) -> Row:
    """Hand-overs that a fault interrupted, and the messages left uncertain by them."""
    row = tx.one(
        """
        SELECT count(DISTINCT hand_over) FILTER (WHERE state = 'uncertain' OR interruptions > 0) AS windows,
               count(*) FILTER (WHERE state = 'uncertain') AS uncertain
        FROM send WHERE run_id = %(run_id)s
        """,
        {"run_id": run_id},
    )
    return row or {"windows": 0, "uncertain": 0}


def arms(tx: Transaction, run_id: UUID, start: datetime, end: datetime, currency: str) -> dict[str, Row]:
    """Purchases of everybody assigned, by arm: people, buyers, orders, revenue and its squares, net of refunds.

    A customer in both arms (two who turned out to be one) is left out and counted as `both`.
    """
    rows = tx.all(
        _PEOPLE  # noqa: S608  # two literals
        + """
        , spent AS (
            SELECT p.customer_id, count(*) FILTER (WHERE net_minor > 0 OR gross_minor = 0) AS orders,
                   sum(net_minor) AS revenue
            FROM person JOIN bought p USING (customer_id) GROUP BY p.customer_id
        )
        SELECT person.arm, count(*) AS people, count(*) FILTER (WHERE spent.orders > 0) AS buyers,
               coalesce(sum(spent.orders), 0)::bigint AS orders,
               coalesce(sum(spent.revenue), 0)::bigint AS revenue_minor,
               coalesce(sum(spent.revenue::double precision ^ 2), 0) AS revenue_squares
        FROM person LEFT JOIN spent USING (customer_id)
        GROUP BY person.arm
        """,
        {"run_id": run_id, "start": start, "end": end, "currency": currency},
    )
    return {row["arm"]: row for row in rows}


def by_day(tx: Transaction, run_id: UUID, start: datetime, end: datetime, currency: str) -> list[Row]:
    """Orders and revenue of each arm for each day (24 hours) since `start`."""
    return tx.all(
        _PEOPLE  # noqa: S608  # two literals
        + """
        SELECT person.arm, floor(extract(epoch FROM p.ordered_at - %(start)s) / 86400)::int AS day,
               count(*) FILTER (WHERE p.net_minor > 0 OR p.gross_minor = 0) AS orders,
               sum(p.net_minor)::bigint AS revenue_minor
        FROM person JOIN bought p USING (customer_id)
        WHERE person.arm <> 'both'
        GROUP BY 1, 2
        """,
        {"run_id": run_id, "start": start, "end": end, "currency": currency},
    )


def other_currencies(tx: Transaction, run_id: UUID, start: datetime, end: datetime, currency: str) -> list[Row]:
    """What was bought in other currencies: told, never added."""
    return tx.all(
        """
        SELECT p.currency, count(*) AS orders, sum(p.revenue_minor)::bigint AS revenue_minor
        FROM purchase p
        WHERE p.ordered_at >= %(start)s AND p.ordered_at < %(end)s AND p.currency <> %(currency)s
          AND p.customer_id IN (SELECT customer_id FROM send WHERE run_id = %(run_id)s AND arm IS NOT NULL)
        GROUP BY p.currency ORDER BY p.currency
        """,
        {"run_id": run_id, "start": start, "end": end, "currency": currency},
    )
