"""Reading profile's log: each entry takes effect here exactly once."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

from services.recommend.actions import impressions
from services.recommend.domain.interactions import ORDERED, UNDONE, Entry, Purchase, lines_of, settle
from services.recommend.domain.refunds import refund_of
from services.recommend.store import interactions as store
from services.recommend.store import refunds
from shared import contracts, crypto
from shared.database import Transaction, transaction

_BATCH: Final = 5_000


def read_events() -> int:
    """Take in all the log has beyond our cursor, some thousand entries a transaction. Returns the count."""
    total = 0
    while count := read_batch():
        total += count
    return total


def read_batch(limit: int = _BATCH) -> int:
    """Take in the next `limit` entries of the log. Returns how many there were."""
    with transaction() as tx:
        entries = store.read_entries(tx, limit)
        if entries:
            _take_in(tx, entries)
    return len(entries)


def _take_in(tx: Transaction, entries: Sequence[Entry]) -> None:
    store.hold_catalogue(tx)
    lines = [line for entry in entries for line in lines_of(entry)]
    settled, outdated = _settle_orders(tx, entries)
    if outdated:
        store.remove_lines(tx, outdated)
        lines = [line for line in lines if line.position not in outdated]
    if lines:
        store.add_lines(tx, lines)
    if settled:
        store.put_purchases(tx, settled)
        store.return_whole_orders(tx, [purchase.order_id for purchase in settled])
    if given_back := [refund for entry in entries if (refund := refund_of(entry)) is not None]:
        refunds.add(tx, given_back)
    impressions.take_in(tx, entries)
    if aliases := list(_aliases(entries)):
        store.learn_aliases(tx, aliases)
    if remapped := _remapped(entries):
        store.rederive_customers(tx, remapped)
        impressions.rederive(tx, remapped)


def _settle_orders(tx: Transaction, entries: Sequence[Entry]) -> tuple[list[Purchase], set[int]]:
    """The orders whose state changes, and the events whose lines no longer hold (or are written anew)."""
    by_order: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.event in ORDERED | UNDONE and entry.order_id is not None:
            by_order[entry.order_id].append(entry)
    if not by_order:
        return [], set()
    known = store.purchases(tx, by_order)
    changed, outdated = [], set()
    for order_id, about in by_order.items():
        before = known.get(order_id)
        after = settle(before, about)
        claimed = {entry.position for entry in about if entry.event in ORDERED}
        if after is not None:
            outdated |= claimed - {after.position}
        if after is None or after == before:
            continue
        changed.append(after)
        if before is not None:
            outdated |= {p for p in (before.position, before.cancel_position) if p is not None} - {after.position}
    return changed, outdated


def _aliases(entries: Sequence[Entry]) -> Iterator[tuple[str, UUID]]:
    """An event with a userId arrived under that user's identity, one with only an anonymousId under the visitor's."""
    named: dict[tuple[str, str], UUID] = {}
    for entry in entries:
        if entry.identity_id is None:
            continue
        for kind, field in (("user_id", "userId"), ("anonymous_id", "anonymousId")):
            value = entry.payload.get(field)
            if isinstance(value, str) and value:
                named.setdefault((kind, value), entry.identity_id)
                break
    for (kind, value), identity in named.items():
        # An address or phone number as a userId lies sealed in the log, each time anew.
        opened = _opened(value) if crypto.is_sealed(value) else value
        if opened is not None:
            yield crypto.blind_index(kind, opened), identity


def _opened(sealed: str) -> str | None:
    try:
        return crypto.unseal(sealed)
    except crypto.SealError:  # of another key: nobody can ask by it either
        return None


def _remapped(entries: Sequence[Entry]) -> set[UUID]:
    return {
        UUID(identity)
        for entry in entries
        if entry.type in (contracts.MERGE, contracts.SPLIT)
        for identity in entry.payload.get("identities", ())
    }
