"""A small shop whose customers do things: entries as they stand in profile's log, written straight into it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from services.segmentation.actions import events
from services.segmentation.domain.facts import gather
from services.segmentation.store import facts, features
from shared.ids import uuid7
from tests.conftest import Services

NOW = datetime(2025, 6, 30, 4, 0, tzinfo=UTC)  # noon in Shanghai


class Shopfront:
    """Writes entries into profile's log and lets segmentation read them."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.profile = services.transaction("profile")
        self.console = services.transaction("console")
        self.segmentation = services.transaction("segmentation")
        self.position = self.profile.value("SELECT coalesce(max(position), 0) FROM event_log")
        self.profile.execute("CREATE TABLE IF NOT EXISTS event_log_rest PARTITION OF event_log DEFAULT")
        self.guests = 0
        self.clock(NOW)

    def clock(self, now: datetime) -> None:
        """Set the shop's business clock."""
        self.console.execute("UPDATE shop SET business_clock = %(now)s", {"now": now})

    def crowd(self, count: int) -> list[UUID]:
        """Many customers of whom nothing is known."""
        people = {"people": [uuid7() for _ in range(count)]}
        self.profile.execute(
            """
            INSERT INTO identity (identity_id, kind, lookup, customer_id, vouched, created_at)
            SELECT who, 'user_id', who::text, who, true, now() FROM unnest(%(people)s::uuid[]) AS who
            """,
            people,
        )
        self.profile.execute(
            "INSERT INTO customer_seen SELECT who, now(), now() FROM unnest(%(people)s::uuid[]) AS who", people
        )
        return people["people"]

    def customer(self, name: str | None = None, **known: Any) -> UUID:
        """A new customer of one identity, which has the customer's id."""
        (who,) = self.crowd(1)
        self.describe(who, name=name, **known)
        return who

    def describe(self, who: UUID, **known: Any) -> None:
        """Say what profile knows of a customer."""
        columns = {"identified": True, "name": None, "email": None, "country": None, "city": None, "traits": {}} | known
        self.profile.execute("DELETE FROM customer WHERE customer_id = %(who)s", {"who": who})
        self.profile.execute(
            """
            INSERT INTO customer (customer_id, identified, name, email, country, city, traits, updated_at)
            VALUES (%(who)s, %(identified)s, %(name)s, %(email)s, %(country)s, %(city)s, %(traits)s, now())
            """,
            {**columns, "who": who, "traits": Jsonb(columns["traits"])},
        )

    def entry(self, who: UUID | None, kind: str, event: str | None, at: datetime, **options: Any) -> int:
        """Append one entry; options: payload, trusted."""
        self.position += 1
        self.profile.execute(
            """
            INSERT INTO event_log (position, message_id, type, event, identity_id, occurred_at, received_at, imported,
                                   trusted, source, payload)
            VALUES (%(position)s, %(position)s::text, %(type)s, %(event)s, %(identity)s, %(at)s, %(at)s, false,
                    %(trusted)s, 'test', %(payload)s)
            """,
            {
                "position": self.position,
                "type": kind,
                "event": event,
                "identity": who,
                "at": at,
                "trusted": options.get("trusted", True),
                "payload": Jsonb(options.get("payload", {})),
            },
        )
        return self.position

    def track(self, who: UUID, event: str, at: datetime, trusted: bool = True, **properties: Any) -> int:
        """Append a track call."""
        return self.entry(who, "track", event, at, payload={"properties": properties}, trusted=trusted)

    def order(self, who: UUID, order_id: str, at: datetime, total: float, **properties: Any) -> int:
        """Append an Order Completed."""
        return self.track(who, "Order Completed", at, order_id=order_id, total=total, **properties)

    def guest_order(self, order_id: str, at: datetime, total: float) -> None:
        """An order of nobody, as a published log may carry it: straight into the facts."""
        self.guests -= 1
        properties = {"order_id": order_id, "total": total}
        row = {"position": self.guests, "type": "track", "event": "Order Completed", "occurred_at": at}
        who = {"identity_id": None, "customer_id": None, "trusted": True, "payload": {"properties": properties}}
        facts.add_facts(self.segmentation, gather([row | who], "CNY", NOW))

    def merge(self, into: UUID, *others: UUID) -> None:
        """Let the identities of `others` belong to `into`."""
        ids = {"into": into, "others": list(others)}
        moved = self.profile.all(
            "UPDATE identity SET customer_id = %(into)s WHERE customer_id = ANY(%(others)s) RETURNING identity_id", ids
        )
        for table in ("customer", "customer_seen"):
            self.profile.execute(f"DELETE FROM {table} WHERE customer_id = ANY(%(others)s)", ids)
        self._mapping("merge", [into, *others], [row["identity_id"] for row in moved], into)

    def split(self, customer: UUID, identity: UUID) -> None:
        """Let an identity be its own customer again."""
        ids = {"identity": identity}
        self.profile.execute("UPDATE identity SET customer_id = identity_id WHERE identity_id = %(identity)s", ids)
        self.profile.execute("INSERT INTO customer_seen VALUES (%(identity)s, now(), now())", ids)
        self._mapping("split", [customer, identity], [identity], None)

    def _mapping(self, kind: str, customers: list[UUID], identities: list[UUID], into: UUID | None) -> None:
        payload = {
            "customers": [str(one) for one in customers],
            "identities": [str(one) for one in identities],
            "into": str(into) if into else None,
        }
        self.entry(None, kind, None, NOW, payload=payload)

    def read(self) -> None:
        """Let segmentation read the log."""
        with self.services.acting("segmentation"):
            events.read_events()

    def features(self, who: UUID) -> dict[str, Any]:
        """What segmentation knows of a customer."""
        found = features.feature_row(self.segmentation, who)
        assert found is not None, "no features"
        return found
