"""Which claims that two identities are one person are believed.

A server's claims are, within limits that keep a shared phone or browser from merging the world. A public key's claim
joins an anonymous id to a user id as long as no server has ever named that user; docs/decisions/ says why.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.profile.domain.contacts import ANONYMOUS_ID, USER_ID

# Kept with a refused claim, for people to read.
UNTRUSTED: Final = "untrusted"  # a public key may not join these
ANONYMOUS_TAKEN: Final = "anonymous_taken"  # a shared browser: it stays with the first
SHARED_CONTACT: Final = "shared_contact"  # a contact of so many people identifies none of them
CUSTOMER_FULL: Final = "customer_full"  # more user ids than one person has
OUTRANKED: Final = "outranked"  # only a public key had claimed it, and a server says otherwise
UNPROVEN: Final = "unproven"  # only a public key had claimed it, and the user turned out to be known to a server

MOST_USERS_OF_A_CONTACT: Final = 5
MOST_USERS_OF_A_CUSTOMER: Final = 10


@dataclass(frozen=True)
class Node:
    """An identity. `vouched`: a server has named it."""

    identity_id: UUID
    kind: str
    customer_id: UUID
    vouched: bool


@dataclass(frozen=True)
class Claimed:
    """Two identities said to be one person; `alias`: by an explicit alias call."""

    own: UUID
    other: UUID
    trusted: bool
    alias: bool

    @property
    def pair(self) -> tuple[UUID, UUID]:
        """The pair as it is kept: the smaller id first."""
        return (self.own, self.other) if self.own < self.other else (self.other, self.own)


@dataclass(frozen=True)
class Partner:
    """One end of a live link, seen from the other."""

    identity_id: UUID
    kind: str
    trusted: bool


@dataclass(frozen=True)
class Decision:
    """What is decided on a claim: `refused` None joins; `ended` are live links that give way to it."""

    claim: Claimed
    refused: str | None
    ended: tuple[tuple[UUID, UUID], ...] = ()


class Board:
    """The identities concerned, how they are linked, and what their customers hold; kept up to date by decide()."""

    def __init__(
        self, nodes: Iterable[Node], partners: Iterable[tuple[UUID, Partner]], members: Iterable[Node]
    ) -> None:
        """`members`: all identities of the customers of `nodes`; `partners`: live links at nodes that are no users."""
        self.nodes = {node.identity_id: node for node in nodes}
        self._partners: dict[UUID, list[Partner]] = defaultdict(list)
        for identity_id, partner in partners:
            self._partners[identity_id].append(partner)
        self._joined: dict[UUID, UUID] = {}
        self._users: dict[UUID, int] = defaultdict(int)
        self._vouched: dict[UUID, bool] = defaultdict(bool)
        self._identified: dict[UUID, bool] = defaultdict(bool)
        for member in members:
            self._users[member.customer_id] += member.kind == USER_ID
            if member.kind != ANONYMOUS_ID:
                self._identified[member.customer_id] = True
                self._vouched[member.customer_id] |= member.vouched

    def decide(self, claim: Claimed) -> Decision:
        """Believe or refuse one claim, given those decided before it."""
        own, other = self.nodes[claim.own], self.nodes[claim.other]
        decision = self._judge(claim, own, other)
        if decision.refused is None:
            gone = {end for pair in decision.ended for end in pair}
            for one, two in ((own, other), (other, own)):
                kept = [p for p in self._partners[one.identity_id] if p.identity_id not in {*gone, two.identity_id}]
                self._partners[one.identity_id] = [*kept, Partner(two.identity_id, two.kind, claim.trusted)]
            self._join(own.customer_id, other.customer_id)
        return decision

    def _judge(self, claim: Claimed, own: Node, other: Node) -> Decision:
        if ANONYMOUS_ID in (own.kind, other.kind) and own.kind != other.kind:
            anonymous, person = (own, other) if own.kind == ANONYMOUS_ID else (other, own)
            return self._judge_anonymous(claim, anonymous, person)
        if not claim.trusted or (own.kind == other.kind and not claim.alias):
            return Decision(claim, UNTRUSTED)
        if own.kind != other.kind:
            for contact, partner in ((own, other), (other, own)):
                if contact.kind != USER_ID and self._count(contact, partner.kind) >= MOST_USERS_OF_A_CONTACT:
                    return Decision(claim, SHARED_CONTACT)
        if not claim.alias and self._users_together(own, other) > MOST_USERS_OF_A_CUSTOMER:
            return Decision(claim, CUSTOMER_FULL)
        return Decision(claim, None)

    def _judge_anonymous(self, claim: Claimed, anonymous: Node, person: Node) -> Decision:
        """An anonymous id belongs to one user, one e-mail, one phone: the first that was claimed for it."""
        rivals = [p for p in self._partners[anonymous.identity_id] if p.kind == person.kind]
        rivals = [p for p in rivals if p.identity_id != person.identity_id]
        if any(p.trusted or not claim.trusted for p in rivals):
            return Decision(claim, ANONYMOUS_TAKEN)
        if not claim.trusted and (
            self._vouched[self._root(person.customer_id)] or self._identified[self._root(anonymous.customer_id)]
        ):
            return Decision(claim, UNTRUSTED)
        if self._users_together(anonymous, person) > MOST_USERS_OF_A_CUSTOMER and not claim.alias:
            return Decision(claim, CUSTOMER_FULL)
        ended = tuple(Claimed(anonymous.identity_id, p.identity_id, False, False).pair for p in rivals)
        return Decision(claim, None, ended)

    def _count(self, contact: Node, kind: str) -> int:
        return len({p.identity_id for p in self._partners[contact.identity_id] if p.kind == kind})

    def _users_together(self, own: Node, other: Node) -> int:
        one, two = self._root(own.customer_id), self._root(other.customer_id)
        return self._users[one] if one == two else self._users[one] + self._users[two]

    def _join(self, one: UUID, two: UUID) -> None:
        first, second = self._root(one), self._root(two)
        if first != second:
            self._joined[second] = first
            self._users[first] += self._users[second]
            self._vouched[first] |= self._vouched[second]
            self._identified[first] |= self._identified[second]

    def _root(self, customer_id: UUID) -> UUID:
        while customer_id in self._joined:
            customer_id = self._joined[customer_id]
        return customer_id
