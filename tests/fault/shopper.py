"""The shop's side: sends events as a real SDK does, again and again until they are acknowledged, and keeps a record."""

import random
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import requests

from tests.fault.record import Offered, Record

ITEMS: Final = 200
CURRENCY: Final = "USD"
_TIMEOUT_S: Final = 15.0  # of Segment's Python client
_LONGEST_PAUSE_S: Final = 2.0


@dataclass(frozen=True)
class Message:
    """An event on the wire and what the record keeps of it."""

    body: dict[str, Any]
    offered: Offered


class Collector:
    """The way into the platform: a batch is sent until it is acknowledged, whatever happens in between."""

    def __init__(self, url: str, key: str, record: Record) -> None:
        self._url, self._record = f"{url}/v1/batch", record
        self._headers = {"Authorization": f"Bearer {key}"}
        self._session = requests.Session()
        self._session.trust_env = False

    def deliver(self, messages: Sequence[Message], patience_s: float, *, again: bool = False) -> bool:
        """Send until acknowledged; False when that did not happen in time. `again`: they were offered before."""
        if not again:
            self._record.offer([message.offered for message in messages])
        deadline, pause = time.monotonic() + patience_s, 0.1
        while not self._once(messages):
            if time.monotonic() + pause > deadline:
                return False
            time.sleep(pause)
            pause = min(_LONGEST_PAUSE_S, pause * 2)
        return True

    def _once(self, messages: Sequence[Message]) -> bool:
        body = {"batch": [message.body for message in messages], "sentAt": _now()}
        try:
            reply = self._session.post(self._url, json=body, headers=self._headers, timeout=_TIMEOUT_S)
        except requests.RequestException:
            return False
        if reply.status_code == 200 and reply.json() == {"success": True}:
            self._record.acknowledge([message.offered.message_id for message in messages])
            return True
        if reply.status_code < 500 and reply.status_code != 429:
            self._record.refused(reply.status_code, reply.text)
        return False


class Shopper(threading.Thread):
    """Buyers and visitors of one connection, at a steady rate, until stopped."""

    def __init__(self, collector: Collector, seed: str, people: Sequence[str], events_per_s: float) -> None:
        super().__init__(name=f"shopper {seed}", daemon=True)
        self._collector, self._people, self._seed = collector, people, seed
        self._random = random.Random(seed)
        self._rate = events_per_s
        self._ended = threading.Event()
        self._visitors: dict[str, str] = {}
        self.failure: Exception | None = None

    def run(self) -> None:
        """Send batch after batch."""
        try:
            while not self._ended.is_set():
                batch = [self._message() for _ in range(self._random.randint(5, 25))]
                acknowledged = self._collector.deliver(batch, 60.0)
                while not acknowledged and not self._ended.is_set():
                    acknowledged = self._collector.deliver(batch, 60.0, again=True)
                self._ended.wait(len(batch) / self._rate)
        except Exception as error:  # noqa: BLE001  # the harness reports it
            self.failure = error

    def stop(self) -> None:
        """Send no more batches. The one under way is offered for as long as join() waits."""
        self._ended.set()

    def _message(self) -> Message:
        user = self._random.choice(self._people)
        draw = self._random.random()
        if draw < 0.25:
            return order(user, self._random)
        if draw < 0.35:
            return self._return_of_a_visitor(user)
        if draw < 0.6:
            return self._anonymous_view(user)
        return view({"userId": user}, user, self._random)

    def _anonymous_view(self, user: str) -> Message:
        visitor = self._visitors.setdefault(user, f"{self._seed}-{user}-{self._random.randrange(10**9)}")
        return view({"anonymousId": visitor}, user, self._random)

    def _return_of_a_visitor(self, user: str) -> Message:
        """Somebody logs in: the visitor of before turns out to be this user, two customers become one."""
        visitor = self._visitors.pop(user, None)
        return identify(user, {"plan": self._random.choice(["a", "b"])}, visitor)


def order(user: str, dice: random.Random) -> Message:
    """A purchase of one to three products; the total is the sum of the lines."""
    order_id = uuid.uuid4().hex
    lines = [
        {"product_id": f"item-{dice.randrange(ITEMS)}", "quantity": dice.randint(1, 3), "price": dice.randint(1, 99)}
        for _ in range(dice.randint(1, 3))
    ]
    total = sum(line["price"] * line["quantity"] for line in lines)
    properties = {"order_id": order_id, "total": total, "currency": CURRENCY, "products": lines}
    return _track("Order Completed", {"userId": user}, properties, user, order_id, total * 100, len(lines))


def view(who: dict[str, str], user: str | None, dice: random.Random) -> Message:
    """Somebody looks at a product."""
    return _track("Product Viewed", who, {"product_id": f"item-{dice.randrange(ITEMS)}"}, user, None, None, 1)


def identify(user: str, traits: dict[str, Any], anonymous_id: str | None = None) -> Message:
    """What is known of a user, and which visitor it was."""
    who = {"userId": user} | ({"anonymousId": anonymous_id} if anonymous_id else {})
    body = {"type": "identify", **who, "traits": traits, **_common()}
    return Message(body, Offered(body["messageId"], "identify", user))


def _track(
    name: str,
    who: dict[str, str],
    properties: dict[str, Any],
    user: str | None,
    order_id: str | None,
    amount_minor: int | None,
    lines: int,
) -> Message:
    body = {"type": "track", "event": name, **who, "properties": properties, **_common()}
    return Message(body, Offered(body["messageId"], name, user, order_id, amount_minor, lines))


def _common() -> dict[str, str]:
    return {"messageId": str(uuid.uuid4()), "timestamp": _now()}


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{int(time.time() * 1000) % 1000:03d}Z"
