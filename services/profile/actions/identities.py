"""Who is who: new identities, links between them, and the customers they form."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from services.profile.domain.components import Change, Entry, compare, components
from services.profile.domain.contacts import ANONYMOUS_ID, USER_ID
from services.profile.domain.linking import OUTRANKED, UNPROVEN, Board, Claimed, Decision, Node, Partner
from services.profile.store import appending, customers, links
from services.profile.store import identities as store
from services.profile.store.appending import Staged
from shared import contracts
from shared.database import Row, Transaction
from shared.ids import uuid7

LogEntry = tuple[str, dict[str, Any]]


@dataclass
class Resolved:
    """What a round changed: customers to derive anew, and what readers of the log must be told."""

    customers: set[UUID] = field(default_factory=set)
    entries: list[LogEntry] = field(default_factory=list)


def resolve(tx: Transaction, staged: Staged, now: datetime) -> Resolved:
    """Make the identities of this round, decide on the links it claims, and remap customers."""
    new = _make(tx, now) if staged.unnamed or staged.strange else []
    if staged.unnamed:
        appending.settle(tx)
    resolved = Resolved(customers={row["identity_id"] for row in new if row["kind"] != ANONYMOUS_ID})
    vouched = store.unvouched(tx) if staged.unvouched or staged.unproven else []
    if vouched:
        store.vouch(tx, vouched)
        resolved.customers |= set(vouched)
    affected: set[UUID] = set()
    if staged.undecided and (claimed := links.claimed(tx)):
        affected |= _decide(tx, claimed)
    # Asked only now: a claim of this round may just have proved one of them.
    if vouched and (unproven := links.unproven_at(tx, vouched)):
        links.refuse(tx, unproven, UNPROVEN)
        affected |= {end for pair in unproven for end in pair}
    if affected:
        change = remap(tx, affected, unpublished=[row["identity_id"] for row in new])
        if change.moved:
            appending.reassign(tx, change.moved)
        resolved.entries = entries(change)
        resolved.customers |= set(change.moved.values()) | change.parted | affected
    return resolved


def remap(tx: Transaction, identity_ids: Iterable[UUID], unpublished: Sequence[UUID] = ()) -> Change:
    """Recompute the customers of everybody around these identities from the links that are live now."""
    around = {row["customer_id"] for row in store.of_ids(tx, identity_ids)}
    before = {row["identity_id"]: row["customer_id"] for row in store.of_customers(tx, around)}
    after = components(before, links.of_customers(tx, around))
    change = compare(before, after, unpublished)
    if change.moved:
        store.assign(tx, change.moved)
        customers.join_seen(tx, change.joined)
        if change.parted:
            customers.recount_seen(tx, change.parted)
        customers.forget(tx, change.ended)
    return change


def entries(change: Change) -> list[LogEntry]:
    """A change as entries of the log."""
    return [(contracts.SPLIT, _payload(entry)) for entry in change.splits] + [
        (contracts.MERGE, _payload(entry)) for entry in change.merges
    ]


def _payload(entry: Entry) -> dict[str, Any]:
    return {
        "customers": [str(customer) for customer in entry.customers],
        "identities": [str(identity) for identity in entry.identities],
        "into": str(entry.into) if entry.into else None,
    }


def _make(tx: Transaction, now: datetime) -> list[Row]:
    """The identities this round names for the first time."""
    new = [{"identity_id": uuid7(), **row} for row in store.unknown(tx)]
    if new:
        store.add(tx, new, now)
    # Only now is it known which ids of aliases nobody has used: those become known under both kinds they may be.
    previous = store.unknown_previous(tx)
    phantoms = [
        {"identity_id": uuid7(), "kind": kind, "lookup": row["lookup"], "sealed": None, "vouched": row["trusted"]}
        for row in previous
        for kind in ((USER_ID, ANONYMOUS_ID) if row["trusted"] else (ANONYMOUS_ID,))
    ]
    if phantoms:
        store.add(tx, phantoms, now)
    return [*new, *phantoms]


def _decide(tx: Transaction, claimed: Sequence[Row]) -> set[UUID]:
    """Believe or refuse what this round claims; returns the identities whose links changed."""
    ends = {row["own"] for row in claimed} | {row["other"] for row in claimed}
    nodes = [Node(**row) for row in store.of_ids(tx, ends)]
    members = [_node(row) for row in store.of_customers(tx, {node.customer_id for node in nodes})]
    partners = [
        (row["identity_id"], Partner(row["partner"], row["partner_kind"], row["trusted"]))
        for row in links.live_of(tx, [node.identity_id for node in nodes if node.kind != USER_ID])
    ]
    board = Board(nodes, partners, members)
    decided: list[tuple[Row, Decision]] = []
    for row in claimed:
        claim = Claimed(row["own"], row["other"], row["trusted"], row["alias"])
        decided.append((row, board.decide(claim)))
    links.decide(tx, [_link(row, decision) for row, decision in decided])
    ended = sorted({pair for _, decision in decided for pair in decision.ended})
    if ended:
        links.refuse(tx, ended, OUTRANKED)
    changed = {end for _, decision in decided if decision.refused is None for end in decision.claim.pair}
    return changed | {end for pair in ended for end in pair}


def _node(row: Row) -> Node:
    return Node(row["identity_id"], row["kind"], row["customer_id"], row["vouched"])


def _link(row: Row, decision: Decision) -> dict[str, Any]:
    a, b = decision.claim.pair
    return {
        "link_id": uuid7(),
        "a": a,
        "b": b,
        "evidence": row["message_id"],
        "alias": row["alias"],
        "replaces": row["other"] if row["alias"] else None,
        "trusted": row["trusted"],
        "made_by": row["key_id"],
        "source": row["source"],
        "made_at": row["received_at"],
        "refused": decision.refused,
    }
