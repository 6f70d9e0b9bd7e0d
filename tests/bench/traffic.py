"""Steady traffic of other visitors at a running platform, for what is measured beside it."""

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from deploy import up
from deploy.home import Home
from tests.bench import storefront
from tests.bench.load import Target
from tests.journey.platform import Platform
from tests.soak import load

BATCH = 20
CONNECTIONS = 16  # one that waits for its answer sends nothing: few could not bring the traffic that is asked for
SHARE_OF_LIMIT = 0.7
WARM_UP_S = 3.0
CHUNK = 20


@dataclass(frozen=True)
class Beside:
    """The traffic that goes on."""

    visitors: Sequence["_Traffic"]

    def rate(self) -> float:
        """Events a second that were really sent."""
        return sum(visitor.rate() for visitor in self.visitors)


@contextmanager
def beside(platform: Platform, events_per_s: float) -> Iterator[Beside]:
    """So many events a second while the block runs; it begins when they have come for a moment."""
    share = events_per_s / CONNECTIONS
    visitors = [_Traffic(collector(platform), share, first_seed) for first_seed in range(1, CONNECTIONS + 1)]
    for visitor in visitors:
        visitor.start()
    try:
        time.sleep(WARM_UP_S)
        yield Beside(visitors)
    finally:
        for visitor in visitors:
            visitor.stop()


def limit(platform: Platform) -> float:
    """Events a second that are taken as fast as can be, until everybody has read them and is computed."""
    return load.measured_rate(collector(platform), lambda: is_caught_up(platform), storefront.VISITORS)


def collector(platform: Platform) -> Target:
    """Where events go in."""
    return Target(platform.url + "/v1/batch", platform.key("server"))


def is_caught_up(platform: Platform) -> bool:
    """Whether every event is in the log, read, and its customer computed."""
    around = up.surroundings(Home(platform.data))
    assert around is not None
    with psycopg.connect(around.owner_url) as connection:
        row = connection.execute(
            """
            SELECT NOT EXISTS (SELECT FROM profile.intake)
               AND (SELECT position FROM profile.log_head WHERE log = 'events') <= least(
                   (SELECT position FROM segmentation.log_cursor WHERE reader = 'segmentation'),
                   (SELECT position FROM recommend.log_cursor WHERE reader = 'recommend')
               )
               AND NOT EXISTS (SELECT FROM segmentation.touched WHERE due_at <= now())
            """
        ).fetchone()
    return bool(row and row[0])


class _Traffic(threading.Thread):
    """Events of other visitors at a steady rate, over a connection of their own."""

    def __init__(self, target: Target, events_per_s: float, first_seed: int) -> None:
        super().__init__(daemon=True)
        self._target, self._events_per_s, self._first_seed = target, events_per_s, first_seed
        self._ended = threading.Event()
        self._sent, self._seconds = 0, 0.0

    def run(self) -> None:
        connection = self._target.connect()
        started = time.monotonic()
        for number in itertools.count():
            if number % CHUNK == 0:
                bodies = storefront.bodies(CHUNK * BATCH, BATCH, seed=self._first_seed + number * CONNECTIONS)
            body = bodies[number % CHUNK]
            due = started + number * BATCH / self._events_per_s
            if self._ended.wait(max(0.0, due - time.monotonic())):
                break
            connection.send(self._target.request(body))
            self._sent += BATCH
            self._seconds = time.monotonic() - started
        connection.close()

    def stop(self) -> None:
        self._ended.set()
        self.join()

    def rate(self) -> float:
        """Events a second that were really sent."""
        return self._sent / self._seconds
