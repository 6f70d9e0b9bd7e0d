"""A shop of its own for each test: a database that commits, customers, a segment, a mail server."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest

from services.campaign.channels import outside
from shared.config import Settings
from shared.database import transaction
from tests.integration.campaign import mailbox as mailboxes
from tests.integration.campaign.mailbox import Mailbox

HTML = (
    "<html><body><p>Hello {{ customer.name }}</p>{% for item in items %}<p>{{ item.name }}</p>{% endfor %}"
    '<a href="https://tea.example/spring?x=1&amp;y=2">Spring tea</a></body></html>'
)


class House:
    """The services on one database. `act(name)` makes this process that service."""

    def __init__(self, settings: Callable[[str], Settings], mailbox: Mailbox) -> None:
        self.settings, self.mailbox = settings, mailbox
        self._clients: dict[str, Any] = {}
        self._key: str | None = None

    def act(self, service: str) -> Settings:
        """Everything from here on runs as `service`."""
        chosen = replace(self.settings(service), smtp_url=self.mailbox.url, public_url="https://mail.tea.example")
        if service == "campaign":
            outside.configure(chosen)
        return chosen

    def call(self, service: str, method: str, path: str, *, key: str | None = None, **options: Any) -> Any:
        """One request to a service's API: with an admin key unless another is given, "" for none."""
        if self._key is None:
            self.act("console")
            self._key = import_module("services.console.actions.keys").create_key("test", "admin").secret
        if service not in self._clients:
            self._clients[service] = (
                import_module(f"services.{service}.app").create_app(self.act(service)).test_client()
            )
        self.act(service)
        headers = options.pop("headers", {})
        if key != "":
            headers = {"Authorization": f"Bearer {key or self._key}", **headers}
        reply = self._clients[service].open(path, method=method, headers=headers, **options)
        self.act("campaign")
        return reply

    def post(self, path: str, **options: Any) -> Any:
        """POST to the campaign service; the parsed reply. Anything but success fails the test."""
        reply = self.call("campaign", "POST", path, **options)
        assert reply.status_code < 300, reply.text
        return reply.json

    def get(self, path: str, **options: Any) -> Any:
        """GET from the campaign service; the parsed reply."""
        reply = self.call("campaign", "GET", path, **options)
        assert reply.status_code < 300, reply.text
        return reply.json

    def shop(self, **changes: Any) -> None:
        """Change the shop's settings."""
        self.act("console")
        if isinstance(changes.get("business_clock"), str):
            changes["business_clock"] = datetime.fromisoformat(changes["business_clock"])
        import_module("services.console.actions.shop").update_shop(changes)
        import_module("shared.shop").forget()
        self.act("campaign")

    def events(self, *events: dict[str, Any]) -> None:
        """Events into the log, as a server sends them."""
        for start in range(0, len(events), 2000):
            reply = self.call("profile", "POST", "/v1/import", json={"batch": events[start : start + 2000]})
            assert reply.status_code == 200, reply.text
        self.drain()

    def drain(self) -> None:
        """Put what the collector accepted into the log."""
        self.act("profile")
        import_module("services.profile.actions.append").drain()
        self.act("campaign")

    def people(self, *user_ids: str, consent: bool = True, **traits: Any) -> dict[str, UUID]:
        """Customers with an address at tea.example; their customer ids by user id."""
        self.events(
            *(
                {
                    "type": "identify",
                    "userId": user_id,
                    "messageId": f"identify-{user_id}",
                    "timestamp": "2025-01-01T00:00:00Z",
                    "traits": {"email": f"{user_id}@tea.example", "name": user_id.title(), "list": "all", **traits},
                }
                for user_id in user_ids
            )
        )
        self.act("profile")
        with transaction() as tx:
            rows = tx.all("SELECT customer_id, user_id FROM profile_out.customers_v1")
            found = {row["user_id"]: row["customer_id"] for row in rows if row["user_id"] in user_ids}
            if consent:
                tx.execute(
                    """
                    INSERT INTO consent
                        (consent_id, identity_id, purpose, channel, granted, decided_at, source, evidence, recorded_at)
                    SELECT gen_random_uuid(), unnest(%(ids)s::uuid[]), 'marketing', 'email', true, '2025-01-01', 'test',
                           '', now()
                    """,
                    {"ids": list(found.values())},
                )
        self.act("campaign")
        return found

    def customers(self, user_ids: list[str]) -> dict[str, str]:
        """Customer ids by user id."""
        rows = self.sql(
            "SELECT customer_id, user_id FROM profile_out.customers_v1 WHERE user_id = ANY(%(user_ids)s)",
            user_ids=user_ids,
        )
        return {row["user_id"]: str(row["customer_id"]) for row in rows}

    def segment(self, rule: dict[str, Any] | None = None, name: str = "Everybody") -> str:
        """A segment, its members found."""
        rule = rule or {"trait": "list", "op": "=", "value": "all"}
        reply = self.call("segmentation", "POST", "/v1/segments", json={"name": name, "rule": rule})
        assert reply.status_code == 201, reply.text
        self.act("segmentation")
        import_module("services.segmentation.actions.events").read_events()
        import_module("services.segmentation.actions.memberships").refresh_stale()
        self.act("campaign")
        segment_id: str = reply.json["segment_id"]
        return segment_id

    def template(self, **fields: Any) -> str:
        """A template."""
        body = {"name": "Spring", "subject": "Spring tea for {{ customer.name }}", "html": HTML, **fields}
        template_id: str = self.post("/v1/templates", json=body)["template_id"]
        return template_id

    def campaign(self, segment_id: str, template_id: str, **fields: Any) -> str:
        """A draft."""
        body = {"name": "Spring", "segment_id": segment_id, "template_id": template_id, "holdout_share": 0, **fields}
        campaign_id: str = self.post("/v1/campaigns", json=body)["campaign_id"]
        return campaign_id

    def start(self, campaign_id: str) -> None:
        """Schedule it now and freeze its audience."""
        self.post(f"/v1/campaigns/{campaign_id}/schedule", json={})
        self.start_due()

    def start_due(self) -> None:
        """Let a worker start what is due."""
        import_module("services.campaign.actions.launching").start_due()

    def send(self, seconds: float = 20.0) -> int:
        """Let one worker send what is due."""
        self.act("campaign")
        handed_over: int = import_module("services.campaign.actions.sending").send_due(seconds)
        return handed_over

    def states(self, campaign_id: str) -> dict[str, int]:
        """Recipients by state."""
        found: dict[str, int] = self.get(f"/v1/campaigns/{campaign_id}")["recipients"]
        return found

    def sql(self, query: str, **params: Any) -> list[dict[str, Any]]:
        """Rows of the campaign service's own tables."""
        self.act("campaign")
        with transaction() as tx:
            cursor = tx.execute(query, params)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def policy(self, **changes: Any) -> None:
        """The sending policy: any hour, any number, unless said otherwise."""
        policy = {"quiet_start": "00:00", "quiet_end": "00:00", "cap_messages": 0, "cap_days": 7, "expire_hours": 72}
        reply = self.call("campaign", "PUT", "/v1/sending-policy", json={**policy, **changes})
        assert reply.status_code == 200, reply.text

    def key(self, kind: str) -> str:
        """An API key of another kind."""
        self.act("console")
        secret: str = import_module("services.console.actions.keys").create_key(kind, kind).secret
        self.act("campaign")
        return secret


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server."""
    with mailboxes.running() as box:
        yield box


@pytest.fixture
def house(database_clone: Callable[[str], Settings], mailbox: Mailbox) -> House:
    """A shop that may write to everybody at any hour."""
    built = House(database_clone, mailbox)
    built.shop(
        name="Tea House",
        sender_email="hello@tea.example",
        sender_name="茶馆 Tea House",
        allow_list=None,
        time_zone="Asia/Shanghai",
        currency="CNY",
        postal_address="1 West Lake Road",
    )
    built.policy()
    return built
