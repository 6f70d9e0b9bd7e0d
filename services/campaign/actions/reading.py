"""Following profile's log: purchases, merges and splits, and what other senders report of addresses."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from services.campaign.actions import people
from services.campaign.domain import purchases as rules
from services.campaign.domain.outcomes import SOURCE, SUPPRESSING
from services.campaign.store import people as followed
from services.campaign.store import purchases as store
from services.campaign.store import suppressions
from shared import contracts, crypto, log
from shared.database import Row, Transaction, transaction
from shared.shop import read_shop

READER: Final = "campaign"
VIEW: Final = "profile_out.events_v1"
BATCH: Final = 5000
_MAPPING: Final = frozenset({contracts.MERGE, contracts.SPLIT})


def read_events(most: int = 200) -> int:
    """Read what is new, at most `most` batches. Returns how many entries were read."""
    done = 0
    for _ in range(most):
        count = _read_batch()
        done += count
        if count < BATCH:
            break
    return done


def _read_batch() -> int:
    with transaction() as tx:
        entries = log.read(tx, READER, VIEW, store.ENTRY_COLUMNS, limit=BATCH)
        wanted = [e for e in entries if e["type"] == "track" and e["event"] in rules.EVENTS | SUPPRESSING.keys()]
        mapping = [e["position"] for e in entries if e["type"] in _MAPPING]
        if wanted:
            _take_events(tx, wanted)
        if mapping:
            _follow(tx, store.merge_payloads(tx, mapping))
    return len(entries)


def _take_events(tx: Transaction, entries: Sequence[Row]) -> None:
    payloads = store.payloads(tx, [e["position"] for e in entries])
    currency = read_shop(tx).currency
    orders: dict[str, dict[str, Any]] = {}
    refunds: list[dict[str, Any]] = []
    suppressed: list[dict[str, Any]] = []
    for entry in entries:
        payload = payloads.get(entry["position"])
        if payload is None:
            continue  # erased since
        properties = payload["properties"] or {}
        if entry["event"] in rules.ORDERS:
            _keep_order(orders, entry, rules.order_of(properties, payload["message_id"], currency))
        elif entry["event"] in rules.EVENTS:
            refunds.append(_refund(entry, properties, payload["message_id"], currency))
        elif payload["library"] != SOURCE:
            suppressed += _suppression(tx, entry, payload)
    store.state_orders(tx, list(orders.values()))
    store.add_refunds(tx, refunds)
    suppressions.add(tx, suppressed)


def _keep_order(orders: dict[str, dict[str, Any]], entry: Row, order: rules.Order | None) -> None:
    """The last statement about an order wins, but for a browser's against a server's."""
    if order is None:
        return
    earlier = orders.get(order.order_id)
    if earlier is not None and earlier["trusted"] and not entry["trusted"]:
        return
    orders[order.order_id] = {
        **vars(order),
        "identity_id": entry["identity_id"],
        "customer_id": entry["customer_id"],
        "ordered_at": min(entry["occurred_at"], earlier["ordered_at"]) if earlier else entry["occurred_at"],
        "trusted": entry["trusted"],
        "position": entry["position"],
    }


def _refund(entry: Row, properties: dict[str, Any], message_id: str, currency: str) -> dict[str, Any]:
    if entry["event"] in rules.CANCELLATIONS:
        properties = {key: properties[key] for key in ("order_id", "currency") if key in properties}
    return {**vars(rules.refund_of(properties, message_id, currency)), "position": entry["position"]}


def _suppression(tx: Transaction, entry: Row, payload: Row) -> list[dict[str, Any]]:
    """Another sender of the shop says that an address bounced, complained or left. Browsers are not believed."""
    if not entry["trusted"]:
        return []
    customer = followed.find_customer(tx, entry["identity_id"]) if entry["identity_id"] else None
    sealed = payload["email"] or payload["named_email"] or (customer or {}).get("email")
    address = people.address_of(sealed)
    if not address:
        return []
    scope, reason = SUPPRESSING[entry["event"]]
    return [
        {
            "address_index": people.address_index(address),
            "channel": "email",
            "scope": scope,
            "address": crypto.seal(address),
            "reason": reason,
            "source": payload["source"] or "",
        }
    ]


def _follow(tx: Transaction, entries: Sequence[Row]) -> None:
    identities: set[UUID] = set()
    for entry in entries:
        payload = entry["payload"]
        identities |= {UUID(value) for key in ("identities", "customers") for value in payload.get(key) or ()}
    ids = sorted(identities)
    followed.follow(tx, ids)
    followed.fold_merged(tx, ids)
    followed.unfold_split(tx, ids)
