"""A tea shop whose customers do things: events go straight into profile's log, as its appender would leave them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from services.recommend.actions import interactions, served, shelf, training
from services.recommend.artifacts import models as artifacts
from shared import contracts
from shared.database import Transaction
from shared.ids import uuid7

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)


def tea(item_id: str, price: float, category: Any, **more: Any) -> dict[str, Any]:
    """An item of the catalogue as the shop sends it."""
    return {
        "item_id": item_id,
        "name": item_id.title(),
        "price": price,
        "currency": "CNY",
        "category": category,
        **more,
    }


TEAS = [
    tea("longjing", 28, ["Tea", "Green"], brand="Hill", name="龙井 Longjing"),
    tea("biluochun", 36, ["Tea", "Green"], brand="Hill"),
    tea("puer", 88, "Tea > Dark", brand="Yun"),
    tea("cup", 12.5, "Ware", attributes={"colour": ["white", "blue"]}),
    tea("pot", 120, "Ware", attributes={"colour": "red", "litres": 1.2}),
    tea("scale", 60, "Ware", available=False),
]


class TeaShop:
    """Writes what happened into profile's log."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        self.position = 0
        self.people: dict[str, UUID] = {}
        tx.execute("CREATE TABLE event_log_of_tests PARTITION OF event_log DEFAULT")

    def person(self, name: str, kind: str = "user_id") -> UUID:
        """The identity of a name; made when it is new, a customer by itself."""
        if name not in self.people:
            identity = uuid7()
            self.tx.execute(
                """
                INSERT INTO identity (identity_id, kind, lookup, customer_id, vouched, created_at)
                VALUES (%(id)s, %(kind)s, %(name)s, %(id)s, true, now())
                """,
                {"id": identity, "kind": kind, "name": name},
            )
            self.people[name] = identity
        return self.people[name]

    def happened(self, event: str, who: str, properties: dict[str, Any], **more: Any) -> int:
        """A track event of a customer, or of a visitor (`anonymous`)."""
        field = "anonymousId" if more.pop("anonymous", False) else "userId"
        kind = "anonymous_id" if field == "anonymousId" else "user_id"
        return self.append("track", event, self.person(who, kind), {"properties": properties, field: who}, **more)

    def bought(self, who: str, *items: str, order: str | None = None, **more: Any) -> int:
        """An order of one of each item."""
        products = [{"product_id": item, "quantity": 1, "price": 10} for item in items]
        return self.happened("Order Completed", who, {"order_id": order or str(uuid7()), "products": products}, **more)

    def merged(self, old: str, into: str) -> None:
        """Two customers have turned out to be one."""
        self._moved(contracts.MERGE, old, self.people[into])

    def split(self, old: str) -> None:
        """A merge was undone."""
        self._moved(contracts.SPLIT, old, self.people[old])

    def append(self, kind: str, event: str | None, identity: UUID | None, payload: dict[str, Any], **more: Any) -> int:
        """One entry of the log."""
        self.position += 1
        self.tx.execute(
            """
            INSERT INTO event_log (position, message_id, type, event, identity_id, occurred_at, received_at, imported,
                                   trusted, source, payload)
            VALUES (%(position)s, %(position)s::text, %(type)s, %(event)s, %(identity)s, %(at)s, now(), false,
                    %(trusted)s, 'test', %(payload)s)
            """,
            {
                "position": self.position,
                "type": kind,
                "event": event,
                "identity": identity,
                "at": more.get("at", NOON - timedelta(days=more.get("days_ago", 1))),
                "trusted": more.get("trusted", True),
                "payload": Jsonb(payload),
            },
        )
        return self.position

    def _moved(self, kind: str, who: str, to: UUID) -> None:
        identity = self.people[who]
        before = self.tx.value("SELECT customer_id FROM identity WHERE identity_id = %(id)s", {"id": identity})
        self.tx.execute(
            "UPDATE identity SET customer_id = %(to)s WHERE identity_id = %(id)s", {"to": to, "id": identity}
        )
        payload = {"customers": [str(before), str(to)], "identities": [str(identity)], "into": str(to)}
        self.append(kind, None, None, payload)


@pytest.fixture
def shop(profile_tx: Transaction) -> TeaShop:
    """The shop, before anything happened."""
    return TeaShop(profile_tx)


@pytest.fixture
def teas(recommend_api: Any, console_tx: Transaction) -> list[dict[str, Any]]:
    """The catalogue of the tea shop, and its business clock at NOON."""
    console_tx.execute("UPDATE shop SET business_clock = %(noon)s", {"noon": NOON})
    assert recommend_api.put("/v1/items", json={"items": TEAS}).status_code == 200
    return TEAS


@pytest.fixture
def as_recommend(services: Any) -> Callable[..., Any]:
    """Run a use case as recommend's worker would."""

    def run(action: Callable[..., Any], *args: Any) -> Any:
        with services.acting("recommend"):
            return action(*args)

    return run


@pytest.fixture
def api(recommend_api: Any, shop: TeaShop, teas: Any, as_recommend: Callable[..., Any]) -> Any:
    """Green tea drinkers with cups, and friends of dark tea in pots; everything is read and a model published."""
    for number in range(6):
        shop.bought(f"green {number}", "longjing", "cup", *(["biluochun"] if number else []))
        shop.bought(f"dark {number}", "puer", *(["pot"] if number else []))
    shop.happened("Product Viewed", "visitor", {"product_id": "puer"}, anonymous=True)
    as_recommend(interactions.read_events)
    assert recommend_api.post("/v1/models").status_code == 202
    assert as_recommend(training.train_if_due)
    return recommend_api


@pytest.fixture(autouse=True)
def _own_world(tmp_path: Any) -> Iterator[None]:
    """Each test has its own artefacts and an empty shelf that looks at every request."""
    shelf.forget()
    served.forget()
    artifacts.configure(f"file://{tmp_path}")
    before, shelf.LOOK_EVERY_S = shelf.LOOK_EVERY_S, 0.0
    yield
    shelf.LOOK_EVERY_S = before
    shelf.forget()
