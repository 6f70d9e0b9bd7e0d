"""A shop of any size for the benches of recommend: a catalogue, people with histories, and a published model."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import psycopg

from services.recommend.actions import training
from services.recommend.artifacts import models as artifacts
from services.recommend.domain.interactions import Kind
from services.recommend.domain.parameters import AlsParameters, Blend, Parameters
from services.recommend.domain.trained import Trained
from services.recommend.store import models as store
from shared.database import transaction
from tests.bench.stack import Stack

HISTORY = 30
CONFIDENCE = 40.0  # so that thirty purchases say something also among a million items
AFFINITY_HALF_LIFE = 1e9  # an interaction counts the same whenever it was, so that the bench can check answers


def factors_of(items: int, factors: int) -> np.ndarray:
    """Seeded factors whose products with each other are around nothing, as a model's are."""
    draw = np.random.default_rng(1)
    return draw.standard_normal((items, factors), dtype=np.float32) / np.float32(np.sqrt(factors))


def popularity_of(items: int) -> np.ndarray:
    """The first item is the most popular."""
    return np.linspace(1, 0, items, dtype=np.float32)


def parameters_of(factors: int) -> Parameters:
    """What the published model says it was made with."""
    return Parameters(als=AlsParameters(factors=factors, alpha=CONFIDENCE), affinity_half_life=AFFINITY_HALF_LIFE)


def fill(stack: Stack, factors: np.ndarray, people: int) -> dict[str, list[int]]:
    """Make the shop; returns the people's ids, each with the keys of the items of their purchases."""
    with stack.connect("recommend") as connection:
        _items(connection, len(factors))
        connection.execute(
            f"""
            INSERT INTO interaction (position, line, identity_id, customer_id, item_key, kind, quantity, occurred_at)
            SELECT person * {HISTORY} + line, 0, customer, customer, (random() * {len(factors) - 1})::int,
                   {Kind.BOUGHT:d}, 1, now() - random() * interval '90 days'
            FROM (SELECT person, gen_random_uuid() AS customer FROM generate_series(1, {people}) AS person) AS people,
                 generate_series(0, {HISTORY - 1}) AS line
            """  # type: ignore[arg-type]
        )
        connection.execute("VACUUM ANALYZE interaction")
        item_ids = [row[0] for row in connection.execute("SELECT item_id FROM item ORDER BY item_key")]
        _publish(stack, factors, item_ids)
        found = connection.execute(
            "SELECT customer_id::text, array_agg(item_key) FROM interaction GROUP BY customer_id"
        ).fetchall()
    return dict(found)


def _items(connection: psycopg.Connection[Any], count: int) -> None:
    connection.execute(
        f"""
        INSERT INTO item (item_id, item_key, name, version)
        SELECT 'item-' || n, n, 'Item ' || n, 1 + n / 5000 FROM generate_series(0, {count - 1}) AS n
        """  # type: ignore[arg-type]
    )
    connection.execute(
        f"""
        UPDATE log_head SET position = CASE log WHEN 'catalogue' THEN 1 + {count - 1} / 5000 ELSE {count} END
        WHERE log IN ('catalogue', 'item_key')
        """  # type: ignore[arg-type]
    )
    connection.execute("VACUUM ANALYZE item")


def _publish(stack: Stack, factors: np.ndarray, item_ids: list[str]) -> None:
    artifacts.configure(f"file://{stack.around.artifacts}")
    parameters = parameters_of(factors.shape[1])
    trained = Trained(factors, popularity_of(len(factors)), {}, parameters, Blend(), {})
    now = datetime.now(UTC)
    with stack.acting("recommend"), transaction() as tx:
        store.claim_training(tx)  # as the trainer does: its transaction may wait for the files
        training.publish(tx, trained, item_ids, now, 0, now)
