"""The marketer's side: waves of synthetic customers, and one campaign after another, so that mail never ends."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from tests.fault.installation import ApiError, Installation
from tests.fault.record import Record
from tests.fault.shopper import CURRENCY, ITEMS, Collector, identify

# Of three promotional campaigns a person gets two: the cap has to hold under every fault as well.
CAP: Final = 2
PURPOSES: Final = ("promotional", "transactional", "promotional", "promotional")
HTML: Final = '<h1>Hello {{ customer.user_id }}</h1><p><a href="https://shop.example/offers">Our offers</a></p>'
_BATCH: Final = 500
_PATIENCE_S: Final = 90.0


@dataclass
class Wave:
    """So many customers whom nobody has written to before, in a segment of their own."""

    number: int
    people: list[str]
    segment_id: str
    launched: int = 0


@dataclass
class Mailing:
    """Campaigns, launched whenever little is left to send."""

    platform: Installation
    record: Record
    collector: Collector
    wave_size: int
    templates: list[str] = field(default_factory=list)
    waves: list[Wave] = field(default_factory=list)

    def prepare(self) -> None:
        """The shop's settings, the sending policy, a catalogue, a template."""
        self.platform.ask(
            *("PUT", "/v1/shop"),
            {
                "name": "Fault",
                "time_zone": "UTC",
                "currency": CURRENCY,
                "sender_email": "shop@fault.example",
                "sender_name": "Fault",
                "sending_enabled": True,
                "allow_list": None,
            },
        )
        policy = {"cap_messages": CAP, "cap_days": 7, "expire_hours": 72}
        self.platform.ask("PUT", "/v1/sending-policy", {"quiet_start": "00:00:00", "quiet_end": "00:00:00", **policy})
        items = [{"item_id": f"item-{number}", "name": f"Item {number}"} for number in range(ITEMS)]
        self.platform.ask("PUT", "/v1/items", {"items": items})
        template = {"name": "fault", "subject": "News {{ campaign.name }}", "html": HTML}
        self.templates.append(self.platform.ask("POST", "/v1/templates", template)["template_id"])

    def add_wave(self) -> Wave:
        """Customers with an address and a consent, and the segment they are in."""
        number = len(self.waves)
        people = [f"wave{number}-{place}" for place in range(self.wave_size)]
        for start in range(0, len(people), _BATCH):
            self._introduce(number, people[start : start + _BATCH])
        rule = {"trait": "wave", "op": "=", "value": number}
        segment = self.platform.ask("POST", "/v1/segments", {"name": f"wave {number}", "rule": rule})["segment_id"]
        wave = Wave(number, people, segment)
        self._until(lambda: self._size(segment) == len(people), f"the segment of wave {number} is not complete")
        self.waves.append(wave)
        return wave

    def top_up(self, least: int) -> None:
        """Launch campaigns until at least so many messages wait to be sent, or the senders prove to be quicker."""
        deadline = time.monotonic() + _PATIENCE_S
        while self.waiting() < least and time.monotonic() < deadline:
            wave = self.waves[-1] if self.waves else self.add_wave()
            if wave.launched == len(PURPOSES):
                wave = self.add_wave()
            self._launch(wave)

    def waiting(self) -> int:
        """Messages that could be handed over now."""
        return int(
            self.platform.value(
                """
                SELECT count(*) FROM campaign.send s JOIN campaign.run r USING (run_id)
                WHERE s.state = 'pending' AND r.status = 'sending' AND s.due_at <= now()
                  AND (s.lease_until IS NULL OR s.lease_until < now())
                """
            )
        )

    def open_rows(self) -> int:
        """Recipients without a final state, campaigns not begun included."""
        begun = self.platform.value("SELECT count(*) FROM campaign.send WHERE state IN ('pending', 'handing_over')")
        unfinished = self.platform.value(
            "SELECT count(*) FROM campaign.campaign WHERE status NOT IN ('sent', 'draft', 'cancelled')"
        )
        return int(begun) + int(unfinished)

    def bring_forward(self, leases: bool) -> None:
        """Let time pass for retries that are due later; with `leases` also for the leases of the dead.

        The caller knows that nobody is handing over (no sender is connected), or a lease might be that of a living one.
        """
        with self.platform.database() as connection:
            connection.execute("UPDATE campaign.send SET due_at = now() WHERE state = 'pending' AND due_at > now()")
            if leases:
                connection.execute("UPDATE campaign.send SET lease_until = now() WHERE lease_until > now()")

    def _introduce(self, wave: int, people: Sequence[str]) -> None:
        messages = [identify(who, {"email": f"{who}@mail.fault.example", "wave": wave}) for who in people]
        for start in range(0, len(messages), 100):
            if not self.collector.deliver(messages[start : start + 100], _PATIENCE_S):
                raise ApiError("the collector takes no events")
        consents = [
            {"identifier": f"user_id:{who}", "purpose": "marketing", "channel": "email", "granted": True}
            for who in people
        ]
        self.platform.ask("POST", "/v1/consents", {"consents": consents})

    def _launch(self, wave: Wave) -> None:
        purpose = PURPOSES[wave.launched]
        body = {
            "name": f"wave {wave.number} no {wave.launched}",
            "segment_id": wave.segment_id,
            "purpose": purpose,
            "template_id": self.templates[0],
            "holdout_share": 0.05 if wave.launched == 0 else 0.0,
            "recommend_n": 2 if wave.launched == 1 else 0,
        }
        campaign_id = self.platform.ask("POST", "/v1/campaigns", body)["campaign_id"]
        self.record.launched(campaign_id, purpose, len(wave.people))
        self.platform.ask("POST", f"/v1/campaigns/{campaign_id}/schedule", {})
        wave.launched += 1
        self._until(lambda: self._begun(campaign_id), f"campaign {campaign_id} does not begin")

    def _begun(self, campaign_id: str) -> bool:
        found = self.platform.ask("GET", f"/v1/campaigns/{campaign_id}")
        return found["status"] in ("sending", "sent")

    def _size(self, segment_id: str) -> int:
        found = self.platform.ask("GET", f"/v1/segments/{segment_id}")
        return -1 if found["stale"] else int(found["size"])

    def _until(self, holds: Any, otherwise: str) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not holds():
            if time.monotonic() > deadline:
                raise ApiError(otherwise)
            time.sleep(0.3)


def database_answers(platform: Installation) -> bool:
    """Whether the database can be asked at all."""
    try:
        return bool(platform.value("SELECT true"))
    except psycopg.Error:
        return False
