"""Training: lines in, a published model out. One transaction holds the trainer's claim from beginning to end."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.recommend.artifacts import models as artifacts
from services.recommend.artifacts.serving import arrays_of
from services.recommend.domain.habits import Habits, habits_of
from services.recommend.domain.histories import History
from services.recommend.domain.parameters import AlsParameters, Parameters, Recipe, blend_of, is_complete, parameters_of
from services.recommend.domain.tastes import Lines
from services.recommend.domain.trained import Trained
from services.recommend.domain.training import Situation, is_due, train
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
    state, newest = store.training(tx), store.models(tx, None, 1)
    return Situation(
        now=now,
        requested_at=state.requested_at,
        started_at=state.started_at,
        failed_at=state.failed_at,
        read=interactions.position(tx),
        unread=interactions.lag(tx),
        trained=newest[0].log_position if newest else None,
        outdated=bool(newest) and not is_complete(newest[0].manifest.get("parameters", {})),
    )


def _train(tx: Transaction, began: datetime, parameters: Parameters | None = None) -> str:
    as_of, position = shop.business_now(tx), interactions.position(tx)
    item_ids, described = store.items(tx)
    history = history_of(store.lines_as_of(tx, as_of), store.customers_by_country(tx), len(item_ids), as_of)
    trained = train(history, parameters or Parameters(), described, _recipe_of(store.newest(tx)))
    if trained.beaten is not None:
        _enter_beaten(tx, trained, as_of, position, began)
    habits = habits_of(history, tuple(trained.popularity_by_country))
    return publish(tx, trained, item_ids, as_of, position, began, habits)


def _recipe_of(champion: store.Published | None) -> Recipe | None:
    """What the champion was made with. The regularisation a run computes from the data is no part of it."""
    if champion is None:
        return None
    parameters = parameters_of(champion.manifest["parameters"])
    unset = replace(parameters.als, regularization=AlsParameters().regularization)
    return Recipe(replace(parameters, als=unset), blend_of(champion.manifest["blend"]))


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
    arrays, told = arrays_of(trained, habits)
    manifest = {"as_of": as_of.isoformat(), "log_position": position, **told, "figures": trained.figures}
    path = artifacts.write(version, manifest, item_ids, arrays)
    now = datetime.now(UTC)
    store.publish(tx, store.Published(version, as_of, position, began, now, path, manifest, serving_since=now))
    kept = store.retire(tx, KEEP)
    tx.after_commit(lambda: artifacts.sweep(kept))
    _log.info("model_published", version=version, as_of=as_of.isoformat(), **trained.figures)
    return version


def _enter_beaten(tx: Transaction, trained: Trained, as_of: datetime, position: int, began: datetime) -> None:
    """The challenger that did not beat the champion: in the registry with its figures, without files."""
    assert trained.beaten is not None  # noqa: S101  # asked by the caller
    recipe, figures = trained.beaten
    manifest = {
        "as_of": as_of.isoformat(),
        "log_position": position,
        "items": len(trained.popularity),
        "parameters": asdict(recipe.parameters),
        "blend": asdict(recipe.blend),
        "figures": figures,
    }
    version = str(uuid7())
    store.publish(tx, store.Published(version, as_of, position, began, datetime.now(UTC), None, manifest))
    _log.info("model_not_published", version=version, **figures)


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
