"""Training: lines in, a published model out. One transaction holds the trainer's claim from beginning to end."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.artifacts import models as artifacts
from services.recommend.domain.habits import Habits, habits_of
from services.recommend.domain.histories import History
from services.recommend.domain.parameters import Parameters
from services.recommend.domain.scanning import FEWEST_ITEMS, Codes, coded
from services.recommend.domain.tastes import Lines
from services.recommend.domain.training import Situation, Trained, is_due, train
from services.recommend.store import interactions
from services.recommend.store import models as store
from shared import shop, telemetry
from shared.database import Transaction, transaction
from shared.ids import uuid7

KEEP: Final = 3
_log = telemetry.get_logger(__name__)
_MICROSECONDS_A_DAY: Final = 86_400_000_000


def train_if_due() -> str | None:
    """Train and publish where a model is due or was asked for and no other trainer is at it. Returns its version."""
    began = datetime.now(UTC)
    try:
        with transaction() as tx:
            if not store.claim_training(tx) or not is_due(_situation(tx, began)):
                return None
            return _train(tx, began)
    except Exception as error:
        with transaction() as tx:
            store.training_failed(tx, began, datetime.now(UTC), f"{type(error).__name__}: {error}")
        raise


def _situation(tx: Transaction, now: datetime) -> Situation:
    state, newest = store.training(tx), store.newest(tx)
    return Situation(
        now=now,
        requested_at=state.requested_at,
        started_at=state.started_at,
        failed_at=state.failed_at,
        read=interactions.position(tx),
        unread=interactions.lag(tx),
        trained=newest.log_position if newest else None,
    )


def _train(tx: Transaction, began: datetime, parameters: Parameters | None = None) -> str:
    parameters = parameters or Parameters()
    as_of, position = shop.business_now(tx), interactions.position(tx)
    item_ids = store.item_ids(tx)
    history = history_of(store.lines_as_of(tx, as_of), store.customers_by_country(tx), len(item_ids), as_of)
    trained = train(history, parameters)
    habits = habits_of(history, tuple(trained.popularity_by_country))
    return publish(tx, trained, item_ids, as_of, position, began, habits)


def publish(
    tx: Transaction,
    trained: Trained,
    item_ids: list[str],
    as_of: datetime,
    position: int,
    began: datetime,
    habits: Habits | None = None,
) -> str:
    """Write what was trained as an artefact, enter it in the registry and let go of the oldest. Returns its version."""
    version = str(uuid7())
    codes = coded(trained.item_factors) if len(item_ids) >= FEWEST_ITEMS else None
    manifest = _manifest(trained, codes, as_of, position)
    path = artifacts.write(version, manifest, item_ids, {**_arrays(trained, codes), **_counted(habits)})
    store.publish(tx, store.Published(version, as_of, position, began, datetime.now(UTC), path, manifest))
    kept = store.retire(tx, KEEP)
    tx.after_commit(lambda: artifacts.sweep(kept))
    _log.info("model_published", version=version, as_of=as_of.isoformat(), **trained.figures)
    return version


def history_of(
    rows: store.LineColumns, countries: Mapping[str, NDArray[Any]], item_count: int, as_of: datetime
) -> History:
    """The database's lines as the domain's columns."""
    people, number = np.unique(rows.customers.astype(np.int64), return_inverse=True)
    there = {
        country: np.flatnonzero(np.isin(people, customers.astype(np.int64))) for country, customers in countries.items()
    }
    now = round((as_of - store.EPOCH).total_seconds() * 1_000_000)
    ages = (now - rows.occurred_at.astype(np.int64)) / _MICROSECONDS_A_DAY
    lines = Lines(
        rows.keys.astype(np.int64),
        rows.kinds.astype(np.int16),
        rows.quantities.astype(np.float32),
        ages.astype(np.float32),
    )
    return History(number.astype(np.int64), lines, len(people), item_count, there)


def _arrays(trained: Trained, codes: Codes | None) -> dict[str, NDArray[Any]]:
    by_country = [trained.popularity_by_country[country] for country in trained.popularity_by_country]
    none = np.empty((0, len(trained.popularity)), dtype=np.float32)
    return {
        "item_factors": trained.item_factors,
        "popularity": trained.popularity,
        "popularity_by_country": np.stack(by_country) if by_country else none,
        **({} if codes is None else {"item_codes": codes.codes, "item_steps": codes.steps}),
    }


def _counted(habits: Habits | None) -> dict[str, NDArray[Any]]:
    if habits is None:
        return {}
    by_country = [*habits.trending_by_country.values()]
    none = np.empty((0, len(habits.trending)), dtype=np.float32)
    return {
        "pair_starts": habits.pairs.starts,
        "pair_items": habits.pairs.items,
        "pair_lifts": habits.pairs.lifts,
        "trending": habits.trending,
        "trending_by_country": np.stack(by_country) if by_country else none,
        "rhythms": habits.rhythms,
    }


def _manifest(trained: Trained, codes: Codes | None, as_of: datetime, position: int) -> dict[str, Any]:
    return {
        "as_of": as_of.isoformat(),
        "log_position": position,
        "parameters": asdict(trained.parameters),
        "blend": asdict(trained.blend),
        "items": len(trained.popularity),
        "countries": list(trained.popularity_by_country),
        "codes": None if codes is None else {"error": codes.error, "length": codes.length},
        "figures": trained.figures,
    }
