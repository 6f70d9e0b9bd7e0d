"""Profile's log in a database where commits stay, for tests with several connections or processes."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from shared.config import Settings
from shared.database import transaction
from shared.ids import uuid7

NOW = datetime(2025, 6, 30, 4, tzinfo=UTC)


class Log:
    """Written by profile's own role, in transactions of its own."""

    def __init__(self, settings: Settings) -> None:
        self.connection = psycopg.connect(settings.database_url, autocommit=True)
        self.connection.execute("SET search_path TO profile")
        self.connection.execute("CREATE TABLE IF NOT EXISTS event_log_rest PARTITION OF event_log DEFAULT")
        self.position = 0

    def customers(self, count: int) -> list[UUID]:
        """New customers of one identity each."""
        people = [uuid7() for _ in range(count)]
        with self.connection.transaction():
            for who in people:
                self.connection.execute(
                    """
                    INSERT INTO identity (identity_id, kind, lookup, customer_id, vouched, created_at)
                    VALUES (%(who)s, 'user_id', %(who)s::text, %(who)s, true, now())
                    """,
                    {"who": who},
                )
                self.connection.execute("INSERT INTO customer_seen VALUES (%(who)s, now(), now())", {"who": who})
        return people

    def order(self, who: UUID, number: int) -> None:
        """Append an Order Completed."""
        self.position += 1
        self.connection.execute(
            """
            INSERT INTO event_log (position, message_id, type, event, identity_id, occurred_at, received_at, imported,
                                   trusted, source, payload)
            VALUES (%(position)s, %(position)s::text, 'track', 'Order Completed', %(who)s, %(at)s, %(at)s, false, true,
                    'test', %(payload)s)
            """,
            {
                "position": self.position,
                "who": who,
                "at": NOW - timedelta(days=number % 30),
                "payload": Jsonb({"properties": {"order_id": f"o{number}", "total": 10}}),
            },
        )


def rows(query: str) -> list[dict[str, Any]]:
    """What a query finds, as the service at work."""
    with transaction(read_only=True) as tx:
        return tx.all(query)  # type: ignore[call-overload, no-any-return]
