"""What was shown, clicked and then bought, by slot, strategy, variant and the shop's day. NULL as day: all days."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.recommend.domain.impressions import Sight
from services.recommend.domain.interactions import Kind
from services.recommend.store.refunds import GIVEN_BACK
from shared.database import SQL, Row, Transaction

_FROM: Final = SQL("""
    FROM impression i LEFT JOIN served_context c ON c.number = i.context
""")
_WHERE_FROM: Final = SQL("""
    coalesce(c.slot, i.slot) AS slot, c.strategy, nullif(c.experiment_id, '') AS experiment_id,
    nullif(c.variant, '') AS variant, (i.occurred_at AT TIME ZONE %(zone)s)::date AS day
""")
_GROUPED: Final = SQL("""
    GROUP BY GROUPING SETS ((slot, strategy, experiment_id, variant, day), (slot, strategy, experiment_id, variant))
""")


@dataclass(frozen=True)
class Span:
    """Which impressions: of these days (instants), of one slot or of all; purchases count for so long after a click."""

    since: datetime
    until: datetime
    zone: str
    slot: str | None
    window: timedelta


def _params(span: Span) -> dict[str, object]:
    kinds = {
        "shown": int(Sight.SHOWN),
        "clicked": int(Sight.CLICKED),
        "bought": int(Kind.BOUGHT),
        "returned": int(Kind.RETURNED),
    }
    return {**vars(span), **kinds}


def seen(tx: Transaction, span: Span) -> list[Row]:
    """Items shown and clicked (each once an answer), and how many people saw and clicked."""
    return tx.all(
        SQL("""
        WITH one AS (
            SELECT {where_from}, i.kind, coalesce(i.recommendation_id::text, i.position::text) AS answer, item,
                   coalesce(i.customer_id, i.identity_id) AS person
            {source} CROSS JOIN LATERAL unnest(i.item_keys) AS item
            WHERE i.occurred_at >= %(since)s AND i.occurred_at < %(until)s
              AND (%(slot)s::text IS NULL OR coalesce(c.slot, i.slot) = %(slot)s)
        )
        SELECT slot, strategy, experiment_id, variant, day,
               count(DISTINCT (answer, item)) FILTER (WHERE kind = %(shown)s) AS impressions,
               count(DISTINCT person) FILTER (WHERE kind = %(shown)s) AS viewers,
               count(DISTINCT (answer, item)) FILTER (WHERE kind = %(clicked)s) AS clicks,
               count(DISTINCT person) FILTER (WHERE kind = %(clicked)s) AS clickers
        FROM one {grouped}
        """).format(where_from=_WHERE_FROM, source=_FROM, grouped=_GROUPED),
        _params(span),
    )


def bought(tx: Transaction, span: Span) -> list[Row]:
    """Orders and what was paid, by currency, of items that the buyer had clicked on within the window before.

    A bought line belongs to the last click on its item. Net of what was given back; what was given back whole is none.
    """
    return tx.all(
        SQL("""
        WITH {given_back}, last AS (
            SELECT DISTINCT ON (b.position, b.line) b.position, b.item_key::text AS item, b.amount_minor, b.currency,
                   i.occurred_at AS clicked_at, {where_from}
            {source} CROSS JOIN LATERAL unnest(i.item_keys) AS item
            JOIN interaction b ON b.customer_id = i.customer_id AND b.item_key = item AND b.kind = %(bought)s
                 AND b.occurred_at >= i.occurred_at AND b.occurred_at <= i.occurred_at + %(window)s
            WHERE i.kind = %(clicked)s AND i.occurred_at >= %(since)s AND i.occurred_at < %(until)s + %(window)s
            ORDER BY b.position, b.line, i.occurred_at DESC
        ), kept AS (
            SELECT last.*, round(amount_minor * (1 - coalesce(g.share, 0))) AS net_minor
            FROM last LEFT JOIN given_back g USING (position, item)
            WHERE clicked_at < %(until)s AND (%(slot)s::text IS NULL OR slot = %(slot)s) AND coalesce(g.share, 0) < 1
        )
        SELECT slot, strategy, experiment_id, variant, day, currency, count(DISTINCT position) AS orders,
               coalesce(sum(net_minor), 0)::bigint AS revenue_minor
        FROM kept
        GROUP BY GROUPING SETS ((slot, strategy, experiment_id, variant, day, currency),
                                (slot, strategy, experiment_id, variant, day),
                                (slot, strategy, experiment_id, variant, currency),
                                (slot, strategy, experiment_id, variant))
        """).format(where_from=_WHERE_FROM, source=_FROM, given_back=GIVEN_BACK),
        _params(span),
    )
