"""Where answers come from: numbers for contexts, who has which variant, what was explored with which probability."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.recommend.domain.marks import MOST_CONTEXTS
from services.recommend.store.impressions import Context
from shared import log
from shared.database import Transaction


def context_number(tx: Transaction, context: Context) -> int | None:
    """The number of a context, given out where it is new. None where there are no more numbers."""
    found = _number(tx, context)
    if found is not None:
        return found
    number = log.reserve(tx, "served_context", 1)  # its lock lets one process after the other look again
    found = _number(tx, context)
    if found is not None or number >= MOST_CONTEXTS:
        return found
    tx.execute(
        """
        INSERT INTO served_context (number, slot, strategy, experiment_id, variant)
        VALUES (%(number)s, %(slot)s, %(strategy)s, %(experiment_id)s, %(variant)s)
        """,
        {"number": number, **vars(context)},
    )
    return number


def _number(tx: Transaction, context: Context) -> int | None:
    found: int | None = tx.value(
        """
        SELECT number FROM served_context
        WHERE slot = %(slot)s AND strategy = %(strategy)s AND experiment_id = %(experiment_id)s
          AND variant = %(variant)s
        """,
        vars(context),
    )
    return found


def variant_behind(tx: Transaction, experiment_id: str, alias: str) -> str | None:
    """The variant with which the person behind the keyed hash of a userId or anonymousId was seen first."""
    found: str | None = tx.value(
        """
        SELECT a.variant
        FROM identity_alias i LEFT JOIN profile_out.identity_map_v1 m USING (identity_id)
        JOIN assignment a ON a.experiment_id = %(experiment_id)s
             AND a.customer_id = coalesce(m.customer_id, i.identity_id)
        WHERE i.alias = %(alias)s ORDER BY a.at LIMIT 1
        """,
        {"experiment_id": experiment_id, "alias": alias},
    )
    return found


def variant_of_customer(tx: Transaction, experiment_id: str, customer_id: UUID) -> str | None:
    """The variant with which a customer (also by an id of earlier days) was seen first."""
    found: str | None = tx.value(
        """
        SELECT variant FROM assignment
        WHERE experiment_id = %(experiment_id)s AND customer_id = coalesce(
            (SELECT customer_id FROM profile_out.identity_map_v1 WHERE identity_id = %(id)s), %(id)s)
        ORDER BY at LIMIT 1
        """,
        {"experiment_id": experiment_id, "id": customer_id},
    )
    return found


def variants_of_customers(tx: Transaction, experiment_id: str, customer_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The same of many customers; those never seen are left out."""
    rows = tx.all(
        """
        SELECT DISTINCT ON (given.id) given.id, a.variant
        FROM unnest(%(ids)b::uuid[]) AS given (id)
        LEFT JOIN profile_out.identity_map_v1 m ON m.identity_id = given.id
        JOIN assignment a ON a.experiment_id = %(experiment_id)s AND a.customer_id = coalesce(m.customer_id, given.id)
        ORDER BY given.id, a.at
        """,
        {"experiment_id": experiment_id, "ids": list(customer_ids)},
    )
    return {row["id"]: row["variant"] for row in rows}


def remember_explored(tx: Transaction, explored: Mapping[UUID, tuple[Mapping[int, float], int]]) -> None:
    """Write down with which probability answers (by recommendation id) had each of these items in them, and among how
    many was drawn.

    Without waiting for the disk: after a crash of the machine the last moments of this are missing, and are then left
    out of what is computed from it.
    """
    rows = [
        (id_, key, propensity, pool) for id_, (found, pool) in explored.items() for key, propensity in found.items()
    ]
    ids, keys, propensities, pools = zip(*rows, strict=True)
    tx.execute(
        """
        WITH quick AS (SELECT set_config('synchronous_commit', 'off', true) AS done)
        INSERT INTO explored (recommendation_id, item_key, propensity, pool)
        SELECT new.*
        FROM quick, unnest(%(ids)b::uuid[], %(keys)b::int[], %(propensities)b::real[], %(pools)b::int[]) AS new
        WHERE done IS NOT NULL
        """,
        {"ids": list(ids), "keys": list(keys), "propensities": list(propensities), "pools": list(pools)},
    )
