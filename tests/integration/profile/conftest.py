"""A shop that sends events and looks at what became of them, inside the rolled-back transaction of the test."""

from typing import Any
from uuid import UUID

import pytest

from services.profile.actions import append
from shared.database import Row, Transaction
from tests.conftest import ServiceApi, Services


class TeaHouse:
    """The shop: sends as a server unless told otherwise; everything it sends is appended at once."""

    def __init__(self, services: Services, api: ServiceApi, tx: Transaction) -> None:
        self._services, self.api, self.tx = services, api, tx

    def send(self, *events: dict[str, Any] | Any, key: str = "server", path: str = "/v1/batch", **shared: Any) -> Any:
        """Send events as one batch and append them; returns the reply's JSON."""
        reply = self.api.as_key(key).post(path, json={"batch": list(events), **shared})
        assert reply.status_code == 200, reply.json
        self.append()
        return reply.json

    def append(self) -> int:
        """Run the appender."""
        with self._services.acting("profile"):
            return append.drain()

    def log(self, columns: str = "*") -> list[Row]:
        """The log as published."""
        return self.tx.all(f"SELECT {columns} FROM profile_out.events_v1 ORDER BY position")  # type: ignore[arg-type]

    def customer(self, kind: str, value: str) -> UUID | None:
        """The customer of an identity that is no contact."""
        return self.tx.value(
            "SELECT customer_id FROM identity WHERE kind = %(kind)s AND lookup = %(value)s",
            {"kind": kind, "value": value},
        )

    def user(self, user_id: str) -> UUID | None:
        """The customer of a user id."""
        return self.customer("user_id", user_id)

    def browser(self, anonymous_id: str) -> UUID | None:
        """The customer of an anonymous id."""
        return self.customer("anonymous_id", anonymous_id)

    def profile(self, customer_id: UUID | None) -> Row:
        """A customer as published."""
        rows = self.tx.all("SELECT * FROM profile_out.customers_v1 WHERE customer_id = %(id)s", {"id": customer_id})
        assert len(rows) == 1
        return rows[0]

    def mapping(self) -> dict[UUID, UUID]:
        """Identity -> customer, as published."""
        rows = self.tx.all("SELECT identity_id, customer_id FROM profile_out.identity_map_v1")
        return {row["identity_id"]: row["customer_id"] for row in rows}

    def state(self) -> list[list[Row]]:
        """Everything that is derived of the log, to compare before and after."""
        return [
            self.tx.all("SELECT identity_id, customer_id FROM profile_out.identity_map_v1 ORDER BY 1"),
            self.tx.all("SELECT * FROM customer_seen ORDER BY customer_id"),
            self.tx.all(
                """
                SELECT customer_id, identified, user_id, email, phone, name, locale, time_zone, country, city, traits
                FROM customer ORDER BY customer_id
                """
            ),
            self.tx.all("SELECT * FROM customer_name_token ORDER BY customer_id, token"),
            self.tx.all("SELECT * FROM profile_out.consents_v1 ORDER BY 1, 2, 3"),
        ]


@pytest.fixture
def tea_house(services: Services, profile_api: ServiceApi, profile_tx: Transaction) -> TeaHouse:
    """A shop whose storefront and server send events."""
    return TeaHouse(services, profile_api, profile_tx)


def track(event: str, user: str | None = None, **fields: Any) -> dict[str, Any]:
    """A track event."""
    return {"type": "track", "event": event, **({"userId": user} if user else {}), **fields}


def identify(user: str | None, traits: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """An identify event."""
    return {"type": "identify", **({"userId": user} if user else {}), "traits": traits or {}, **fields}
