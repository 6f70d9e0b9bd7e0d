"""recommend_10k and als_fit: answering one person, and fitting the model."""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import orjson
import requests
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from deploy import environment, topology
from deploy.process import LOOPBACK, Command, spawn, stop
from services.recommend.actions import training
from services.recommend.artifacts import models as artifacts
from services.recommend.domain import als
from services.recommend.domain.interactions import Kind
from services.recommend.domain.parameters import AlsParameters, Blend, Parameters
from services.recommend.domain.training import Trained
from shared.database import transaction
from shared.ids import uuid7
from tests.bench import machine
from tests.bench.load import Target, seconds_to_send
from tests.bench.report import Figure, figure, interleaved
from tests.bench.stack import Stack, running

BASE_PORT = 28720
ITEMS, FACTORS, TOP = 10_000, 128, 20
PEOPLE, HISTORY = 2_000, 30
REQUESTS, ROUNDS, CONNECTIONS = 3_000, 5, 4


def recommend_10k() -> list[Figure]:
    """Answers a second, one person each, beside the least that any Flask service with these factors must do."""
    factors = np.random.default_rng(1).standard_normal((ITEMS, FACTORS)).astype(np.float32) / np.sqrt(FACTORS)
    with running(BASE_PORT) as stack, _bare(stack, factors) as bare_url:
        people = _shop(stack, factors)
        ours = Target(stack.api("recommend") + "/v1/recommendations", stack.key("server"))
        bare = Target(bare_url + "/top")
        asked = [orjson.dumps({"customer_id": person, "n": TOP}) for person in people]
        bodies = [asked[number % len(asked)] for number in range(REQUESTS)]
        _check(ours, asked[0])
        rates = interleaved(
            ROUNDS,
            lambda _: REQUESTS / seconds_to_send(ours, bodies, CONNECTIONS),
            lambda _: REQUESTS / seconds_to_send(bare, bodies, CONNECTIONS),
        )
    conditions = (
        f"{machine.described()}, client and servers together; {ITEMS:,} items × {FACTORS} factors, top {TOP}; "
        f"histories of {HISTORY} items, read from PostgreSQL for each answer; {CONNECTIONS} connections, one gunicorn "
        f"process of 8 threads each; ceiling: an empty Flask route plus one exact top {TOP} over the same factors"
    )
    return [figure("recommend_10k", "answers/s", *rates, conditions)]


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


def _shop(stack: Stack, factors: np.ndarray) -> list[str]:
    """A catalogue, people with histories and a published model; returns the people's ids."""
    key = stack.key("admin")
    url = stack.api("recommend")
    for start in range(0, ITEMS, 5_000):
        items = [{"item_id": f"item-{n}", "name": f"Item {n}"} for n in range(start, start + 5_000)]
        requests.put(url + "/v1/items", json={"items": items}, headers={"Authorization": f"Bearer {key}"}, timeout=60)
    with stack.connect("recommend") as connection:
        connection.execute(
            f"""
            INSERT INTO interaction (position, line, identity_id, customer_id, item_key, kind, quantity, occurred_at)
            SELECT person * {HISTORY} + line, 0, customer, customer, (random() * {ITEMS - 1})::int, {Kind.BOUGHT:d}, 1,
                   now() - random() * interval '90 days'
            FROM (SELECT person, gen_random_uuid() AS customer FROM generate_series(1, {PEOPLE}) AS person) AS people,
                 generate_series(0, {HISTORY - 1}) AS line
            """  # type: ignore[arg-type]
        )
        connection.execute("VACUUM ANALYZE interaction")
        item_ids = [row[0] for row in connection.execute("SELECT item_id FROM item ORDER BY item_key")]
        _publish(stack, factors, item_ids)
        found = connection.execute("SELECT DISTINCT customer_id FROM interaction").fetchall()
    stack.end()  # the next process begins with the model
    return [str(row[0]) for row in found]


def _publish(stack: Stack, factors: np.ndarray, item_ids: list[str]) -> None:
    artifacts.configure(f"file://{stack.around.artifacts}")
    parameters = Parameters(als=AlsParameters(factors=FACTORS))
    trained = Trained(factors, np.linspace(1, 0, ITEMS, dtype=np.float32), {}, parameters, Blend(), {})
    now = datetime.now(UTC)
    with stack.acting("recommend"), transaction() as tx:
        training.publish(tx, trained, item_ids, now, 0, now)


@contextmanager
def _bare(stack: Stack, factors: np.ndarray) -> Iterator[str]:
    """The ceiling, served by gunicorn with the settings of our APIs."""
    path = stack.folder / "bare.npy"
    np.save(path, factors)
    port = BASE_PORT + 15
    argv = (
        *(sys.executable, "-m", "gunicorn", "--bind", f"{LOOPBACK}:{port}", "--worker-class", "gthread"),
        *(
            "--workers",
            "1",
            "--threads",
            str(topology.API_THREADS),
            "--keep-alive",
            "30",
            "--worker-tmp-dir",
            "/dev/shm",
        ),
        "tests.bench.bare:app",
    )
    env = environment.for_role(stack.around, topology.role("recommend-api")) | {"BARE_FACTORS": str(path)}
    command = Command(argv, env, str(Path.cwd()))
    with (stack.folder / "bare.log").open("wb") as log:
        process = spawn(command, log)
    try:
        url = f"http://{LOOPBACK}:{port}"
        _wait_for(url)
        yield url
    finally:
        stop(process, command.stop_signal, 20.0)


def _wait_for(url: str) -> None:
    for _ in range(100):
        try:
            requests.get(url, timeout=1)
        except requests.RequestException:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the ceiling's server did not start")


def _check(target: Target, body: bytes) -> None:
    connection = target.connect()
    answer = orjson.loads(connection.send(target.request(body)))
    connection.close()
    if not answer["personal"] or answer["strategy"] != "for_you" or len(answer["items"]) != TOP:
        raise RuntimeError(f"this is not the answer to measure: {answer}")
