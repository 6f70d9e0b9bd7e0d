"""Customers as connected components of identities, and what a change of links means for them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID


def components(identities: Iterable[UUID], links: Iterable[tuple[UUID, UUID]]) -> dict[UUID, UUID]:
    """Identity -> customer: the smallest identity of its connected component. Links to others are ignored."""
    root = {identity: identity for identity in identities}

    def find(identity: UUID) -> UUID:
        while root[identity] != identity:
            root[identity] = root[root[identity]]
            identity = root[identity]
        return identity

    for a, b in links:
        if a in root and b in root:
            one, two = find(a), find(b)
            root[max(one, two)] = min(one, two)
    return {identity: find(identity) for identity in root}


@dataclass(frozen=True)
class Entry:
    """What a reader of the log is told: these identities have another customer now. `into`: merged into it."""

    customers: list[UUID]
    identities: list[UUID]
    into: UUID | None


@dataclass
class Change:
    """The difference between two mappings of identities to customers.

    `moved`: identity -> its new customer. `joined`: old customer -> the one it went into as a whole. `parted`:
    customers (old and new) of which a part was taken. `ended`: ids that are no customers any more.
    """

    moved: dict[UUID, UUID] = field(default_factory=dict)
    joined: dict[UUID, UUID] = field(default_factory=dict)
    parted: set[UUID] = field(default_factory=set)
    ended: set[UUID] = field(default_factory=set)
    merges: list[Entry] = field(default_factory=list)
    splits: list[Entry] = field(default_factory=list)


def compare(before: Mapping[UUID, UUID], after: Mapping[UUID, UUID], unpublished: Iterable[UUID] = ()) -> Change:
    """What changed from `before` to `after` (same identities). `unpublished`: identities no reader has seen yet."""
    hidden = set(unpublished)
    change = Change(moved={identity: new for identity, new in after.items() if before[identity] != new})
    members: dict[UUID, set[UUID]] = defaultdict(set)
    for identity, old in before.items():
        members[old].add(after[identity])
    change.ended = set(before.values()) - set(after.values())
    merged: dict[UUID, list[UUID]] = defaultdict(list)
    for old, news in members.items():
        if len(news) > 1:
            change.parted |= {old, *news}
            told = [i for i, o in before.items() if o == old and after[i] != old and i not in hidden]
            if told:
                change.splits.append(Entry(sorted({old, *news}), sorted(told), None))
        elif (new := next(iter(news))) != old:
            change.joined[old] = new
            merged[new] += [i for i, o in before.items() if o == old and i not in hidden]
    for new, told in merged.items():
        if told:
            olds = {before[identity] for identity in told}
            change.merges.append(Entry(sorted({*olds, new}), sorted(told), new))
    return change
