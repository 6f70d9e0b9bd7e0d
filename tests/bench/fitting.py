"""als_fit: fitting the model and publishing it."""

import tempfile
import time

import numpy as np
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from services.recommend.artifacts import models as artifacts
from services.recommend.domain import als
from services.recommend.domain.parameters import AlsParameters
from shared.ids import uuid7
from tests.bench import machine
from tests.bench.report import Figure, figure, interleaved


def als_fit() -> list[Figure]:
    """Fits an hour including publishing, beside implicit's bare fit of the same matrix."""
    matrix = _power_law(100_000, 20_000, 5_000_000)
    parameters = AlsParameters(factors=64, iterations=5, regularization=10.0)
    item_ids = [f"item-{number}" for number in range(matrix.shape[1])]
    with tempfile.TemporaryDirectory() as folder:
        artifacts.configure(f"file://{folder}")
        rates = interleaved(
            3, lambda _: 1 / _fit_and_publish(matrix, parameters, item_ids), lambda _: 1 / _bare_fit(matrix, parameters)
        )
    conditions = (
        f"{machine.described()}; {matrix.shape[0]:,} × {matrix.shape[1]:,}, {matrix.nnz:,} entries, 64 factors, "
        "5 iterations, all cores, BLAS on one thread for both; ours includes the artefact with checksums, synced"
    )
    return [figure("als_fit", "fits/s", *rates, conditions)]


def _fit_and_publish(matrix: sp.csr_matrix, parameters: AlsParameters, item_ids: list[str]) -> float:
    started = time.perf_counter()
    _, items = als.fit(matrix, parameters)
    popularity = np.asarray(matrix.sum(axis=0)).ravel().astype(np.float32)
    artifacts.write(str(uuid7()), {"items": len(item_ids)}, item_ids, {"item_factors": items, "popularity": popularity})
    return time.perf_counter() - started


def _bare_fit(matrix: sp.csr_matrix, parameters: AlsParameters) -> float:
    started = time.perf_counter()
    with threadpool_limits(1, "blas"):
        AlternatingLeastSquares(
            factors=parameters.factors,
            regularization=parameters.regularization,
            alpha=parameters.alpha,
            iterations=parameters.iterations,
            random_state=parameters.random_state,
            num_threads=0,
        ).fit(matrix, show_progress=False)
    return time.perf_counter() - started


def _power_law(people: int, items: int, entries: int) -> sp.csr_matrix:
    """A seeded matrix whose items are wanted in proportion to 1/rank^0.8; `entries` distinct pairs."""
    draw = np.random.default_rng(7)
    weights = 1 / np.arange(1, items + 1) ** 0.8
    cumulated = np.cumsum(weights / weights.sum())
    pairs = np.empty(0, dtype=np.int64)
    while len(pairs) < entries:
        missing = int((entries - len(pairs)) * 1.3) + 1000
        columns = np.searchsorted(cumulated, draw.random(missing)).clip(max=items - 1)
        rows = draw.integers(0, people, missing)
        pairs = np.unique(np.concatenate([pairs, rows * items + columns]))
    pairs = np.sort(draw.permutation(pairs)[:entries])
    values = draw.integers(1, 6, entries).astype(np.float32)
    return sp.csr_matrix((values, (pairs // items, pairs % items)), shape=(people, items))
