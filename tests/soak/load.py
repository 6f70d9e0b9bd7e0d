"""The load of a soak: events at a steady rate, questions for recommendations, a trickle of campaigns."""

import itertools
import threading
import time
from collections.abc import Callable
from typing import Final

import orjson

from shared.ids import uuid7
from tests.bench import storefront
from tests.bench.load import Target, seconds_to_send
from tests.fault.mailing import Mailing

BATCH: Final = 50
QUESTIONS_PER_S: Final = 5.0
# In half an hour each of them comes up some fifteen times, as in a visit or two. (With 20,000 visitors each would have
# looked at some 250 pages by the end.)
VISITORS: Final = 300_000
_CHUNK: Final = 40
_CALIBRATION_EVENTS: Final = 40_000
_CONNECTIONS: Final = 4


def measured_rate(target: Target, caught_up: Callable[[], bool], visitors: int) -> float:
    """Events a second that the platform takes as fast as it can, until the last reader has read the last of them."""
    bodies = storefront.bodies(_CALIBRATION_EVENTS, BATCH, 0, visitors)
    started = time.monotonic()
    seconds_to_send(target, bodies, _CONNECTIONS)
    while not caught_up():
        time.sleep(0.1)
    return _CALIBRATION_EVENTS / (time.monotonic() - started)


class Worker(threading.Thread):
    """A thread of the load that goes on until stopped, and keeps how long each of its requests took."""

    def __init__(self, name: str, work: Callable[[], None], every_s: float) -> None:
        super().__init__(name=name, daemon=True)
        self._work, self._every_s = work, every_s
        self._ended = threading.Event()
        self._seconds: list[float] = []
        self.failure = ""

    def run(self) -> None:
        """One piece of work every so often; late pieces are made up for."""
        due = time.monotonic()
        try:
            while not self._ended.wait(max(0.0, due - time.monotonic())):
                began = time.monotonic()
                self._work()
                self._seconds.append(time.monotonic() - began)
                due += self._every_s
        except Exception as error:  # noqa: BLE001  # told at the next sample
            self.failure = f"{self.name}: {type(error).__name__}: {error}"

    def taken(self) -> list[float]:
        """The seconds of each request since the last time this was asked."""
        taken, self._seconds = self._seconds, []
        return taken

    def stop(self) -> None:
        """End it after the request under way."""
        self._ended.set()
        self.join(90)


def shoppers(target: Target, events_per_s: float) -> list[Worker]:
    """Storefront visitors over two connections, each at half the rate."""
    return [_shopper(target, events_per_s / 2, seed) for seed in (1, 2)]


def _shopper(target: Target, events_per_s: float, seed: int) -> Worker:
    connection = target.connect()
    chunks = (
        storefront.bodies(BATCH * _CHUNK, BATCH, seed * 1_000_000 + number, VISITORS) for number in itertools.count()
    )
    bodies = itertools.chain.from_iterable(chunks)
    return Worker(f"shopper {seed}", lambda: _send(connection.send, target, next(bodies)), BATCH / events_per_s)


def _send(send: Callable[[bytes], bytes], target: Target, body: bytes) -> None:
    send(target.request(body))


def asker(target: Target) -> Worker:
    """Somebody looks at a page with recommendations, every fifth of a second."""
    connection = target.connect()
    visitors = itertools.cycle(range(0, VISITORS, 3))

    def ask() -> None:
        body = orjson.dumps({"user_id": f"customer-{next(visitors)}", "n": 10})
        connection.send(target.request(body))

    return Worker("asker", ask, 1 / QUESTIONS_PER_S)


def marketer(mailing: Mailing, every_s: float) -> Worker:
    """A campaign to a few people now and then: some mail is always on its way."""
    return Worker("marketer", lambda: mailing.top_up(1), every_s)


def buyers(target: Target, events_per_s: float) -> Worker:
    """Logged-in customers who order, so that scores and models have something to follow."""
    connection = target.connect()
    orders = itertools.count()

    def buy() -> None:
        number = next(orders)
        event = {
            "type": "track",
            "event": "Order Completed",
            "userId": f"customer-{number * 3 % VISITORS}",
            "messageId": str(uuid7()),
            "properties": {
                "order_id": str(uuid7()),
                "total": 18.5,
                "products": [{"product_id": f"item-{number % 6}", "quantity": 1, "price": 18.5}],
            },
        }
        connection.send(target.request(orjson.dumps({"batch": [event]})))

    return Worker("buyers", buy, 1 / events_per_s)
