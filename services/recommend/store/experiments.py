"""Experiments, and what became of the people in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from services.recommend.domain.impressions import Sight
from services.recommend.domain.interactions import Kind
from services.recommend.store.refunds import GIVEN_BACK
from shared.database import SQL, Row, Transaction


@dataclass(frozen=True)
class Span:
    """Until when an experiment is read, and how long before people were first seen is looked at."""

    until: datetime
    before: timedelta


@dataclass(frozen=True)
class Experiment:
    """One experiment of a slot. `ended_at` None: it runs. `applied`: the variant that the slot took over."""

    experiment_id: str
    slot: str
    variants: Sequence[Mapping[str, Any]]
    started_at: datetime
    ended_at: datetime | None
    applied: str | None


def begin(tx: Transaction, experiment_id: str, slot: str, variants: Sequence[Mapping[str, Any]], at: datetime) -> None:
    """Enter an experiment that runs from an instant on; one that is known runs again or has other shares."""
    tx.execute(
        """
        INSERT INTO experiment (experiment_id, slot, variants, started_at)
        VALUES (%(id)s, %(slot)s, %(variants)s::jsonb, %(at)s)
        ON CONFLICT (experiment_id) DO UPDATE SET
            slot = excluded.slot, variants = excluded.variants, ended_at = NULL, applied = NULL
        """,
        {"id": experiment_id, "slot": slot, "variants": orjson.dumps(variants).decode(), "at": at},
    )


def end(tx: Transaction, experiment_id: str, at: datetime, applied: str | None) -> None:
    """An experiment has ended."""
    tx.execute(
        "UPDATE experiment SET ended_at = %(at)s, applied = %(applied)s WHERE experiment_id = %(id)s",
        {"id": experiment_id, "at": at, "applied": applied},
    )


def find(tx: Transaction, experiment_id: str) -> Experiment | None:
    """One experiment."""
    return tx.one(
        """
        SELECT experiment_id, slot, variants, started_at, ended_at, applied FROM experiment
        WHERE experiment_id = %(id)s
        """,
        {"id": experiment_id},
        into=Experiment,
    )


def of_slot(tx: Transaction, slot: str, limit: int) -> list[Experiment]:
    """The experiments of a slot, the newest first."""
    return tx.all(
        """
        SELECT experiment_id, slot, variants, started_at, ended_at, applied FROM experiment
        WHERE slot = %(slot)s ORDER BY started_at DESC LIMIT %(limit)s
        """,
        {"slot": slot, "limit": limit},
        into=Experiment,
    )


def arms(tx: Transaction, experiment_id: str, span: Span, currency: str) -> list[Row]:
    """Of each variant sums over the people first seen with it: clicks and impressions of the experiment, and whatever
    they bought since they were first seen, net of what was given back (revenue in one currency only).

    `*_before`, for each goal, of the time (`span.before`) until they were first seen: looks and orders (logarithms of
    one more), and what was paid, refunds not taken off, since those may have come later. `known`: who did anything.
    """
    return tx.all(
        SQL("""
        WITH {given_back}, person AS (
            SELECT DISTINCT ON (coalesce(customer_id, identity_id)) coalesce(customer_id, identity_id) AS customer,
                   variant, at
            FROM assignment WHERE experiment_id = %(id)s AND at < %(until)s
            ORDER BY coalesce(customer_id, identity_id), at
        ), saw AS (
            SELECT coalesce(i.customer_id, i.identity_id) AS customer,
                   coalesce(sum(cardinality(i.item_keys)) FILTER (WHERE i.kind = %(shown)s), 0)::float8 AS x,
                   count(*) FILTER (WHERE i.kind = %(clicked)s)::float8 AS y
            FROM served_context c JOIN impression i ON i.context = c.number
            WHERE c.experiment_id = %(id)s AND i.occurred_at < %(until)s
            GROUP BY 1
        ), bought AS (
            SELECT p.customer, coalesce(sum(round(b.amount_minor * (1 - coalesce(g.share, 0))))
                       FILTER (WHERE b.currency = %(currency)s), 0)::float8 AS paid
            FROM person p JOIN interaction b ON b.customer_id = p.customer
            LEFT JOIN given_back g ON g.position = b.position
                 AND g.item = coalesce(b.item_key::text, '=' || b.product_id)
            WHERE b.kind = %(bought)s AND b.occurred_at > p.at AND b.occurred_at < %(until)s
              AND coalesce(g.share, 0) < 1
            GROUP BY p.customer
        ), before AS (
            SELECT p.customer, ln(1 + count(*) FILTER (WHERE b.kind <> %(bought)s))::float8 AS clicks,
                   ln(1 + count(DISTINCT b.position) FILTER (WHERE b.kind = %(bought)s))::float8 AS orders,
                   coalesce(sum(b.amount_minor) FILTER (WHERE b.currency = %(currency)s), 0)::float8 AS revenue
            FROM person p JOIN interaction b ON b.customer_id = p.customer
            WHERE b.kind <> %(returned)s AND b.occurred_at < p.at AND b.occurred_at >= p.at - %(before)s
            GROUP BY p.customer
        )
        SELECT p.variant, count(*) AS people, count(*) FILTER (WHERE s.y > 0) AS clickers,
               count(b.customer) AS buyers,
               coalesce(sum(s.x), 0) AS x, coalesce(sum(s.x * s.x), 0) AS xx, coalesce(sum(s.y), 0) AS y,
               coalesce(sum(s.y * s.y), 0) AS yy, coalesce(sum(s.x * s.y), 0) AS xy,
               coalesce(sum(b.paid), 0) AS revenue, coalesce(sum(b.paid * b.paid), 0) AS revenue_squares,
               count(e.customer) AS known,
               coalesce(sum(e.clicks), 0) AS clicks_before,
               coalesce(sum(e.clicks * e.clicks), 0) AS clicks_before_squares,
               coalesce(sum(e.clicks) FILTER (WHERE s.y > 0), 0) AS clicks_products,
               coalesce(sum(e.orders), 0) AS orders_before,
               coalesce(sum(e.orders * e.orders), 0) AS orders_before_squares,
               coalesce(sum(e.orders) FILTER (WHERE b.customer IS NOT NULL), 0) AS orders_products,
               coalesce(sum(e.revenue), 0) AS revenue_before,
               coalesce(sum(e.revenue * e.revenue), 0) AS revenue_before_squares,
               coalesce(sum(e.revenue * b.paid), 0) AS revenue_products
        FROM person p LEFT JOIN saw s USING (customer) LEFT JOIN bought b USING (customer)
        LEFT JOIN before e USING (customer)
        GROUP BY p.variant
        """).format(given_back=GIVEN_BACK),
        {
            "id": experiment_id,
            "currency": currency,
            "since": tx.value("SELECT min(at) FROM assignment WHERE experiment_id = %(id)s", {"id": experiment_id}),
            **vars(span),
            "shown": int(Sight.SHOWN),
            "clicked": int(Sight.CLICKED),
            "bought": int(Kind.BOUGHT),
            "returned": int(Kind.RETURNED),
        },
    )
