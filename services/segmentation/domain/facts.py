"""Log entries -> the facts segmentation keeps, and whom they concern."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from services.segmentation.domain.orders import kind_of, purchase

NOW_DUE: Final = datetime(1970, 1, 1, tzinfo=UTC)
MAPPING_CHANGES: Final = frozenset({"merge", "split"})

# Calls that are behaviour without a name of their own.
_NAMELESS: Final = {"page": "$page", "screen": "$screen", "identify": "$identify", "group": "$group"}
_LONGEST_NAME: Final = 200


@dataclass
class Facts:
    """Rows ready to be stored, in the column order of the tables they are named after.

    `touched`: customer -> when the newest of its facts takes effect (NOW_DUE: already has). `identities`: those whose
    customer changed.
    """

    events: list[tuple[Any, ...]] = field(default_factory=list)
    purchases: list[tuple[Any, ...]] = field(default_factory=list)
    lines: list[tuple[Any, ...]] = field(default_factory=list)
    touched: set[tuple[UUID, datetime]] = field(default_factory=set)
    identities: set[UUID] = field(default_factory=set)
    order_keys: set[str] = field(default_factory=set)
    last_position: int = 0


def gather(entries: Iterable[Mapping[str, Any]], shop_currency: str, as_of: datetime) -> Facts:
    """The facts in `entries` (rows of profile_out.events_v1, in order of position)."""
    facts = Facts()
    for entry in entries:
        facts.last_position = entry["position"]
        if entry["type"] in MAPPING_CHANGES:
            _mapping_change(facts, entry["payload"])
        else:
            _behaviour(facts, entry, shop_currency, as_of)
    return facts


def _mapping_change(facts: Facts, payload: Mapping[str, Any]) -> None:
    facts.identities.update(UUID(identity) for identity in payload.get("identities") or ())
    concerned = [*(payload.get("customers") or ()), payload.get("into")]
    facts.touched.update((UUID(customer), NOW_DUE) for customer in concerned if customer)


def _behaviour(facts: Facts, entry: Mapping[str, Any], shop_currency: str, as_of: datetime) -> None:
    payload = entry["payload"]
    customer = entry["customer_id"]
    if customer is not None:
        facts.touched.add((customer, NOW_DUE))
        if entry["occurred_at"] > as_of:
            facts.touched.add((customer, entry["occurred_at"]))
    name = entry["event"] if entry["type"] == "track" else _NAMELESS.get(entry["type"])
    if not name:
        return
    properties = _properties(payload)
    if entry["type"] == "track" and (kind := kind_of(name)):
        _purchase(facts, entry, kind, properties, shop_currency)
    facts.events.append(
        (
            entry["position"],
            entry["identity_id"],
            customer,
            name[:_LONGEST_NAME],
            entry["occurred_at"],
            _session(payload.get("context"), properties),
            {key: value for key, value in properties.items() if key != "products"},
        )
    )


def _properties(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of an event; of a page or screen with its name and category, which stand beside them."""
    properties = payload.get("properties")
    own = {key: payload[key] for key in ("name", "category") if payload.get(key) is not None}
    return own | properties if isinstance(properties, dict) else own


def _purchase(
    facts: Facts, entry: Mapping[str, Any], kind: str, properties: Mapping[str, Any], shop_currency: str
) -> None:
    position, at = entry["position"], entry["occurred_at"]
    read = purchase(kind, properties, position, shop_currency)
    facts.order_keys.add(read.order_key)
    facts.purchases.append(
        (
            *(position, read.kind, read.order_key, entry["identity_id"], entry["customer_id"], at, at),
            *(bool(entry["trusted"]), read.amount_minor, read.discount_minor, read.currency),
        )
    )
    facts.lines.extend((position, number, *line) for number, line in enumerate(read.lines, start=1))


def _session(context: object, properties: Mapping[str, Any]) -> str | None:
    found = properties.get("session_id")
    if found is None and isinstance(context, dict):
        found = context.get("sessionId")
        if found is None and isinstance(context.get("session"), dict):
            found = context["session"].get("id")
    if isinstance(found, bool) or not isinstance(found, str | int):
        return None
    return str(found)[:_LONGEST_NAME]
