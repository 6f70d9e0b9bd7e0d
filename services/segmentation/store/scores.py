"""Scores of customers and the basis they stand on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import sql
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from services.segmentation.domain.lifecycle import QUANTILES, Gaps
from services.segmentation.domain.scores import INPUTS, QUINTILES, Basis, Spread, basis
from shared.database import Transaction


@dataclass(frozen=True)
class Population:
    """How many customers a basis was made of, how many of them buy, and the basis."""

    customers: int
    buyers: int
    basis: Basis


def measure(tx: Transaction) -> Population | None:
    """The population as its features are now; None when nobody has bought anything."""
    counts = tx.one("SELECT count(*) AS customers, count(*) FILTER (WHERE orders > 0) AS buyers FROM customer_feature")
    if counts is None or not counts["buyers"]:
        return None
    params = {"quintiles": list(QUINTILES)}
    spread = tx.one(_SPREAD, params) or {}
    money = tx.all(_MONEY_SPREAD, params)
    gaps = tx.one(_GAPS, {"quantiles": list(QUANTILES)}) or {}
    found = basis(
        Spread(spread["orders"], spread["most"], counts["buyers"]),
        {row["currency"]: Spread(row["quintiles"], row["largest"], row["buyers"]) for row in money},
        Gaps.observed(gaps["count"], gaps["mean"], gaps["quantiles"]),
    )
    return Population(counts["customers"], counts["buyers"], found)


def count_buyers(tx: Transaction) -> int:
    """How many customers have an order."""
    return tx.value("SELECT count(*) FROM customer_feature WHERE orders > 0") or 0


def add_basis(tx: Transaction, basis_id: UUID, population: Population, as_of: datetime) -> None:
    """Keep a basis; the newest one is in force."""
    tx.execute(
        """
        INSERT INTO score_basis (basis_id, as_of, customers, buyers, parameters, created_at)
        VALUES (%(basis_id)s, %(as_of)s, %(customers)s, %(buyers)s, %(parameters)s, clock_timestamp())
        """,
        {
            "basis_id": basis_id,
            "as_of": as_of,
            "customers": population.customers,
            "buyers": population.buyers,
            "parameters": Jsonb(population.basis.as_json()),
        },
    )


def newest_basis(tx: Transaction) -> dict[str, Any] | None:
    """The basis in force: basis_id, as_of, customers, buyers, parameters (as stored)."""
    return tx.one(
        """
        SELECT basis_id, as_of, customers, buyers, parameters FROM score_basis
        ORDER BY created_at DESC, basis_id DESC LIMIT 1
        """
    )


def basis_of(tx: Transaction, basis_id: UUID) -> dict[str, Any] | None:
    """One basis, as newest_basis() gives it."""
    return tx.one(
        "SELECT basis_id, as_of, customers, buyers, parameters FROM score_basis WHERE basis_id = %(basis_id)s",
        {"basis_id": basis_id},
    )


def inputs(tx: Transaction, customers: Sequence[UUID]) -> list[tuple[Any, ...]]:
    """Rows of INPUTS of these customers."""
    query = sql.SQL("SELECT {} FROM customer_feature WHERE customer_id = ANY(%(customers)s)").format(
        sql.SQL(", ").join(map(sql.Identifier, INPUTS))
    )
    with tx.connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        return cursor.execute(query, {"customers": customers}).fetchall()


def put_scores(tx: Transaction, customers: Sequence[UUID], rows: Sequence[tuple[Any, ...]], basis_id: UUID) -> None:
    """Replace the scores of these customers."""
    tx.execute("DELETE FROM customer_score WHERE customer_id = ANY(%(customers)s)", {"customers": customers})
    tx.copy(
        "customer_score",
        ("customer_id", "rfm_r", "rfm_f", "rfm_m", "rfm_cell", "lifecycle", "silence", "basis_id"),
        ((*row, basis_id) for row in rows),
        ("uuid", "int2", "int2", "int2", "text", "text", "float8", "uuid"),
    )


_SPREAD: Final = """
    SELECT percentile_disc(%(quintiles)s::float8[]) WITHIN GROUP (ORDER BY orders) AS orders, max(orders) AS most
    FROM customer_feature WHERE orders > 0
"""

_MONEY_SPREAD: Final = """
    SELECT currency, percentile_disc(%(quintiles)s::float8[]) WITHIN GROUP (ORDER BY net_spend_minor) AS quintiles,
           max(net_spend_minor) AS largest, count(*) AS buyers
    FROM customer_feature WHERE orders > 0
    GROUP BY currency
"""

_GAPS: Final = """
    SELECT count(*) AS count, avg(gap)::float8 AS mean,
           percentile_disc(%(quantiles)s::float8[]) WITHIN GROUP (ORDER BY gap) AS quantiles
    FROM customer_feature, unnest(gaps_days) AS gap
"""
