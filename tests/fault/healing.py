"""Has the platform healed? Asked from outside, again and again, until everything it is there for works again."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psutil
import psycopg
import redis
import requests

from deploy.beat import LEASE_KEY
from tests.fault.installation import Installation
from tests.fault.mailing import Mailing
from tests.fault.record import Record
from tests.fault.shopper import Collector, Message, order

HEALS_WITHIN_S: Final = 30.0
GIVEN_UP_S: Final = 240.0
_GONE: Final = "the frozen are gone"
READERS: Final = ("segmentation", "recommend", "campaign")
# A route of each service that reads its database, through the proxy.
ROUTES: Final = {
    "profile": "/v1/log",
    "segmentation": "/v1/segments?limit=1",
    "recommend": "/v1/items?limit=1",
    "campaign": "/v1/campaigns?limit=1",
    "console": "/v1/shop",
}


@dataclass
class Healing:
    """How long each part took to work again after a fault; None: it did not."""

    seconds: dict[str, float | None] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> float | None:
        """Until everything worked; None: something never did."""
        known = [value for value in self.seconds.values() if value is not None]
        return max(known, default=0.0) if len(known) == len(self.seconds) else None


class Physician:
    """Examines one platform."""

    def __init__(self, platform: Installation, record: Record, collector: Collector, mailing: Mailing) -> None:
        self._platform, self._record, self._collector, self._mailing = platform, record, collector, mailing
        self._session = requests.Session()
        self._session.trust_env = False
        self._headers = {"Authorization": f"Bearer {platform.admin_key}"}

    def examine(
        self, canary: Message, log_before: int, frozen: Sequence[psutil.Process] = (), patience_s: float = GIVEN_UP_S
    ) -> Healing:
        """Wait until the platform works: its routes answer, an event offered now is in every reader, mail goes on.

        Whoever was `frozen` for good has to be gone first: what works until then may work only until then.
        """
        began, answered = time.monotonic(), self._record.answered
        canary_id = canary.offered.message_id
        self._record.offer([canary.offered])
        found: dict[str, Any] = {"position": None}

        def collected() -> bool:
            return self._collector.deliver([canary], 0.05, again=True)

        def logged() -> bool:
            found["position"] = found["position"] or self._position(canary_id, log_before)
            return found["position"] is not None

        checks: dict[str, Callable[[], bool]] = {
            **{f"{service} answers": lambda path=path: self._answers(path) for service, path in ROUTES.items()},
            "an event is acknowledged": collected,
            "an event is in the log": logged,
            **{
                f"{reader} has read it": lambda reader=reader: logged() and self.cursor(reader) >= found["position"]
                for reader in READERS
            },
            "mail goes on": lambda: self._record.answered > answered or self._mailing.waiting() == 0,
            "the beat sends": self._beat_leads,
            "recommendations are served": self._recommends,
        }
        if frozen:
            checks = {_GONE: lambda: not any(process.is_running() for process in frozen)} | checks
        return self._until_all_hold(checks, began, patience_s)

    def log_head(self) -> int:
        """The last position of the log now, 0 when it cannot be asked."""
        try:
            return int(self._platform.value("SELECT coalesce(max(position), 0) FROM profile.event_log"))
        except psycopg.Error:
            return 0

    def _until_all_hold(self, checks: dict[str, Callable[[], bool]], began: float, patience_s: float) -> Healing:
        healing = Healing()
        left = dict(checks)
        while left and time.monotonic() - began < patience_s:
            # As long as one of the frozen is there, what works is not yet what will be left.
            for name, holds in list(left.items())[: 1 if _GONE in left else None]:
                try:
                    if holds():
                        healing.seconds[name] = round(time.monotonic() - began, 2)
                        del left[name]
                except (psycopg.Error, redis.RedisError, requests.RequestException) as error:
                    healing.why[name] = f"{type(error).__name__}: {str(error)[:200]}"
            if not self._platform.is_supervised():
                healing.why |= dict.fromkeys(left, "the supervisor itself has ended")
                break
            time.sleep(0.2)
        healing.seconds |= dict.fromkeys(left)
        healing.why = {name: healing.why.get(name, "") for name in left}
        return healing

    def _answers(self, path: str) -> bool:
        return self._session.get(self._platform.url + path, headers=self._headers, timeout=5.0).status_code == 200

    def _recommends(self) -> bool:
        url = f"{self._platform.url}/v1/recommendations"
        reply = self._session.post(url, json={"user_id": "canary", "n": 3}, headers=self._headers, timeout=5.0)
        return reply.status_code == 200 and len(reply.json()["items"]) == 3

    def _position(self, message_id: str, after: int) -> int | None:
        rows = self._platform.rows(
            "SELECT position FROM profile.event_log WHERE position > %(after)s AND message_id = %(id)s",
            {"after": after, "id": message_id},
        )
        return rows[0][0] if rows else None

    def cursor(self, reader: str) -> int:
        """How far a reader of the log has come."""
        rows = self._platform.rows(
            """
            SELECT position FROM segmentation.log_cursor WHERE reader = %(reader)s
            UNION ALL SELECT position FROM recommend.log_cursor WHERE reader = %(reader)s
            UNION ALL SELECT position FROM campaign.log_cursor WHERE reader = %(reader)s
            """,
            {"reader": reader},
        )
        return rows[0][0] if rows else 0

    def _beat_leads(self) -> bool:
        """Whether the one that holds the beat's lease is alive: a dead one's lease keeps its successor waiting."""
        client = self._platform.valkey()
        try:
            owner = client.get(LEASE_KEY)
        finally:
            client.close()
        if not isinstance(owner, bytes):
            return False
        pid = int(owner.rpartition(b":")[2])
        return psutil.pid_exists(pid) and pid in [target.pid for target in self._platform.targets(("beat",))]


def canary(dice: Any) -> Message:
    """An order that is offered right after a fault."""
    return order("canary", dice)
