"""recommend_10k, recommend_100k, recommend_1m, recommend_batch: answering one person, and answering many."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import orjson
import psutil
import requests
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from deploy import environment, topology
from deploy.process import LOOPBACK, Command, spawn, stop
from services.recommend.domain.folding import base_of, fold_in
from services.recommend.domain.parameters import Blend
from tests.bench import catalogue, machine
from tests.bench.load import Target, latencies_at, seconds_to_send
from tests.bench.report import Figure, figure, interleaved, percentile
from tests.bench.stack import Stack, running

BASE_PORT = 28720
FACTORS, TOP = 128, 20
PEOPLE, CHECKED = 2_000, 50
CONNECTIONS, ROUNDS = 4, 5
BATCH_ITEMS, BATCH_FACTORS, BATCH_PEOPLE, BATCH = 20_000, 64, 100_000, 1_000


def recommend_10k() -> list[Figure]:
    """Answers a second, one person each, beside the least that any Flask service with these factors must do."""
    return _answers("recommend_10k", 10_000, requests_a_round=3_000)


def recommend_100k() -> list[Figure]:
    """The same over 100,000 items."""
    return _answers("recommend_100k", 100_000, requests_a_round=1_000)


def recommend_1m() -> list[Figure]:
    """The same over 1,000,000 items."""
    return _answers("recommend_1m", 1_000_000, requests_a_round=150)


def recommend_slot() -> list[Figure]:
    """A slot's answers over 10,000 items, by its strategies, exclusions and variety, beside the same ceiling."""
    return _answers("recommend_slot", 10_000, requests_a_round=2_000, slot={"slot": "home"})


def _answers(name: str, items: int, requests_a_round: int, slot: dict[str, str] | None = None) -> list[Figure]:
    factors = catalogue.factors_of(items, FACTORS)
    with running(BASE_PORT) as stack:
        people = catalogue.fill(stack, factors, PEOPLE)
        with _bare(stack, factors) as bare_url:
            ours = Target(stack.api("recommend") + "/v1/recommendations", stack.key("server"))
            bare = Target(bare_url + "/top")
            asked = [orjson.dumps({"customer_id": person, "n": TOP, **(slot or {})}) for person in people]
            bodies = [asked[number % len(asked)] for number in range(requests_a_round)]
            recall = None if slot else _recall(ours, factors, people)
            rates = interleaved(
                ROUNDS,
                lambda _: len(bodies) / seconds_to_send(ours, bodies, CONNECTIONS),
                lambda _: len(bodies) / seconds_to_send(bare, bodies, CONNECTIONS),
            )
            half = float(np.median(rates[0])) / 2
            slow = percentile(latencies_at(ours, bodies, CONNECTIONS, half), 0.99) * 1000
            memory = _memory(stack)
    exactness = "" if recall is None else f", recall@{TOP} {recall:.3f} against exact scores"
    conditions = (
        f"{machine.described()}, client and servers together; {items:,} items × {FACTORS} factors, "
        f"top {TOP}{exactness}; histories of {catalogue.HISTORY} items, read from PostgreSQL for each answer; "
        f"{CONNECTIONS} connections, one gunicorn process of 8 threads each; {memory}; "
        f"ceiling: an empty Flask route plus one exact top {TOP} over the same factors, by gunicorn's own threads"
    )
    at_half = f"99 % of {len(bodies)} answers are quicker, asked at {half:.0f} a second (half of {name}), late or not"
    return [
        figure(name, "answers/s", *rates, conditions),
        Figure(f"{name}_p99", round(slow, 1), "ms", None, None, at_half),
    ]


def recommend_batch() -> list[Figure]:
    """Customers a second of a whole audience, asked for a thousand at a time, beside the bare library's own batch."""
    factors = catalogue.factors_of(BATCH_ITEMS, BATCH_FACTORS)
    with running(BASE_PORT) as stack:
        people = catalogue.fill(stack, factors, BATCH_PEOPLE)
        cores = psutil.cpu_count() or 1
        ours = Target(stack.api("recommend", cores) + "/v1/recommendations/batch", stack.key("server"))
        ids = list(people)
        bodies = [
            orjson.dumps({"customer_ids": ids[start : start + BATCH], "n": TOP}) for start in range(0, len(ids), BATCH)
        ]
        seconds_to_send(ours, bodies[: 2 * cores], 2 * cores)  # each process takes up the model
        library, matrix = _library(factors, people)
        rates = interleaved(
            3,
            lambda _: len(ids) / seconds_to_send(ours, bodies, 2 * cores),
            lambda _: len(ids) / _seconds_of_library(library, matrix),
        )
    conditions = (
        f"{machine.described()}, client and servers together; {BATCH_PEOPLE:,} customers with histories of "
        f"{catalogue.HISTORY} items, read from PostgreSQL; {BATCH_ITEMS:,} items × {BATCH_FACTORS} factors, top {TOP} "
        f"that were not bought, with names and reasons, as JSON; {BATCH:,} customers a request, {cores} processes; "
        f"ceiling: implicit's recommend() for the same people and items, ready-made factors, {cores} threads"
    )
    return [figure("recommend_batch", "customers/s", *rates, conditions)]


def _library(factors: np.ndarray, people: dict[str, list[int]]) -> tuple[AlternatingLeastSquares, sp.csr_matrix]:
    lengths = [len(set(keys)) for keys in people.values()]
    keys = np.concatenate([sorted(set(keys)) for keys in people.values()]).astype(np.int32)
    pointers = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    matrix = sp.csr_matrix((np.ones(len(keys), dtype=np.float32), keys, pointers), shape=(len(people), len(factors)))
    library = AlternatingLeastSquares(factors=factors.shape[1], num_threads=0)
    library.item_factors = factors
    library.user_factors = np.asarray(matrix @ factors, dtype=np.float32)
    return library, matrix


def _seconds_of_library(library: AlternatingLeastSquares, matrix: sp.csr_matrix) -> float:
    started = time.perf_counter()
    with threadpool_limits(1, "blas"):
        for start in range(0, matrix.shape[0], BATCH):
            people = np.arange(start, min(start + BATCH, matrix.shape[0]))
            library.recommend(people, matrix[people], N=TOP, filter_already_liked_items=True)
    return time.perf_counter() - started


def _recall(target: Target, factors: np.ndarray, people: dict[str, list[int]]) -> float:
    """The share of the exact best that is in the answers, over some people."""
    parameters, blend = catalogue.parameters_of(FACTORS), Blend()
    base = base_of(factors, parameters.als.regularization)
    lift = catalogue.popularity_of(len(factors)) * np.float32(blend.discover.popular)
    connection, found = target.connect(), 0
    for person, keys in list(people.items())[:CHECKED]:
        chosen, times = np.unique(keys, return_counts=True)
        person_factors = fold_in(factors, base, chosen, times.astype(np.float32), parameters.als.alpha)
        products = factors @ person_factors
        total = products / products.max() + lift
        total[chosen] = -np.inf
        best = {f"item-{key}" for key in np.argpartition(total, -TOP)[-TOP:].tolist()}
        answer = orjson.loads(connection.send(target.request(orjson.dumps({"customer_id": person, "n": TOP}))))
        if not answer["personal"] or answer["strategy"] != "for_you" or len(answer["items"]) != TOP:
            raise RuntimeError(f"this is not the answer to measure: {answer}")
        found += len(best & {item["item_id"] for item in answer["items"]})
    connection.close()
    return found / (TOP * min(CHECKED, len(people)))


def _memory(stack: Stack) -> str:
    """What the serving process holds by itself, and how much of the model's files it has mapped."""
    family = [one for parent, _ in stack.processes for one in psutil.Process(parent.pid).children(recursive=True)]
    maps = max(family, key=lambda one: one.memory_info().rss).memory_maps()
    mapped = sum(part.rss for part in maps if part.path.endswith(".npy"))
    own = sum(part.anonymous for part in maps)
    return f"memory a process {own / 2**20:,.0f} MiB of its own, {mapped / 2**20:,.0f} MiB mapped and shared"


@contextmanager
def _bare(stack: Stack, factors: np.ndarray) -> Iterator[str]:
    """The ceiling, served by gunicorn as it comes, with the settings of our APIs."""
    path = stack.folder / "bare.npy"
    np.save(path, factors)
    port = stack.around.base_port + 15
    argv = (
        *(sys.executable, "-m", "gunicorn", "--bind", f"{LOOPBACK}:{port}", "--worker-class", "gthread"),
        *(
            "--workers",
            "1",
            "--threads",
            str(topology.role("recommend-api").concurrency),
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
